import type { Service } from '@aws-sdk/client-ecs';
import { digestOf } from '../../domain/digest.ts';
import type { ServiceChange } from '../../domain/evidence.ts';
import type { RolloutPolicy, ServicePolicy, Target } from '../../domain/policy.ts';
import type { Check } from '../../domain/verdict.ts';
import { checkAlarms } from './check-alarms.ts';
import { planCanaries } from './plan-canary.ts';
import type { Candidate, RolloutPlan } from './plan-canary.ts';
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
  const found = await readServices(reader, target, services);
  return services.map(({ name, ecsService }) => serviceState(name, found.get(ecsService)));
}

function readServices(reader: EcsReader, target: Target, services: readonly ServicePolicy[]) {
  return reader.services(
    target,
    services.map(({ ecsService }) => ecsService),
  );
}

/** Renders every service's task definition and says what would change, and which way; changes nothing. */
export async function planServices(
  deps: RenderDeps & { readonly reader: EcsReader },
  input: ServicePlanInput & { readonly rollout: RolloutPolicy },
): Promise<ServicePlan> {
  const { target, services } = input;
  const found = await readServices(deps.reader, target, services);
  const states = services.map(({ name, ecsService }) => serviceState(name, found.get(ecsService)));
  const rendered = await Promise.all(services.map((service) => renderService(deps, input, service)));
  const candidates = services.map((policy, i) =>
    candidateOf(policy, found.get(policy.ecsService), rendered[i]),
  );
  const [rollouts, alarms] = await Promise.all([
    planCanaries(deps.aws, target, input.rollout.canary, candidates),
    checkAlarms(deps.aws, target, input.rollout.alarms),
  ]);
  const references = rendered.flatMap((each) => (each.kind === 'rendered' ? each.references : []));
  const distinct = new Map(references.map((each) => [`${each.kind} ${each.name}`, each]));
  return {
    services: services.flatMap(({ name }, i) => changeOf(name, rendered[i], states[i], rollouts[i])),
    references: [...distinct.values()].toSorted((a, b) =>
      `${a.kind} ${a.name}` < `${b.kind} ${b.name}` ? -1 : 1,
    ),
    checks: [
      ...services.map((service, i) => checkOf(service, target, rendered[i])),
      ...rollouts.flatMap(({ check }) => check ?? []),
      ...alarms,
    ],
    states,
  };
}

function candidateOf(
  policy: ServicePolicy,
  service: Service | undefined,
  rendered: RenderedService | undefined,
): Candidate {
  const definition = rendered?.kind === 'rendered' ? rendered.definition : undefined;
  return { policy, ...(service && { service }), ...(definition && { definition }) };
}

function changeOf(
  service: string,
  rendered: RenderedService | undefined,
  state: ServiceState | undefined,
  { kind: rollout }: RolloutPlan = { kind: 'rolling' },
): ServiceChange[] {
  if (rendered?.kind !== 'rendered') return [];
  const current = state?.taskDefinition;
  const taskDefinition = digestOf(rendered.definition);
  return [{ service, rollout, image: rendered.image, taskDefinition, ...(current && { current }) }];
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
