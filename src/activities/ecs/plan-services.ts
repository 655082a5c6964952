import { digestOf } from '../../domain/digest.ts';
import type { ServiceChange } from '../../domain/evidence.ts';
import type { ServicePolicy, Target } from '../../domain/policy.ts';
import type { Check } from '../../domain/verdict.ts';
import type { EcsReader } from './reader.ts';
import { renderService, templateOf } from './render.ts';
import type { RenderDeps, RenderedService } from './render.ts';
import { serviceState } from './state.ts';
import type { ServicePlan, ServicePlanInput, ServiceState } from './types.ts';

/** What the services run now, in the order of `services`. */
export async function readStates(
  reader: EcsReader,
  target: Target,
  services: readonly ServicePolicy[],
): Promise<ServiceState[]> {
  const found = await reader.services(
    target,
    services.map(({ ecsService }) => ecsService),
  );
  return services.map(({ name, ecsService }) => serviceState(name, found.get(ecsService)));
}

/** Renders every service's task definition and says what would change; changes nothing. */
export async function planServices(
  deps: RenderDeps & { readonly reader: EcsReader },
  input: ServicePlanInput,
): Promise<ServicePlan> {
  const states = await readStates(deps.reader, input.target, input.services);
  const rendered = await Promise.all(input.services.map((service) => renderService(deps, input, service)));
  const references = rendered.flatMap((each) => (each.kind === 'rendered' ? each.references : []));
  const distinct = new Map(references.map((each) => [`${each.kind} ${each.name}`, each]));
  return {
    services: input.services.flatMap(({ name }, i) => changeOf(name, rendered[i], states[i])),
    references: [...distinct.values()].toSorted((a, b) =>
      `${a.kind} ${a.name}` < `${b.kind} ${b.name}` ? -1 : 1,
    ),
    checks: input.services.map((service, i) => checkOf(service, input.target, rendered[i])),
    states,
  };
}

function changeOf(
  service: string,
  rendered: RenderedService | undefined,
  state: ServiceState | undefined,
): ServiceChange[] {
  if (rendered?.kind !== 'rendered') return [];
  const current = state?.taskDefinition;
  const taskDefinition = digestOf(rendered.definition);
  return [
    { service, rollout: 'rolling', image: rendered.image, taskDefinition, ...(current && { current }) },
  ];
}

function checkOf(service: ServicePolicy, target: Target, rendered: RenderedService | undefined): Check {
  const problems = rendered?.problems ?? [];
  return {
    name: templateOf(service, target),
    passed: problems.length === 0,
    detail:
      problems.length === 0 ? 'valid and hardened' : `${problems.join('; ')}. Correct it in a new commit.`,
  };
}
