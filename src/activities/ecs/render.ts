import { ApplicationFailure } from '@temporalio/common';
import type { ReferencePlan } from '../../domain/evidence.ts';
import { hardeningProblems } from '../../domain/hardening.ts';
import { valuesOf } from '../../domain/placeholders.ts';
import type { ServicePolicy, Target } from '../../domain/policy.ts';
import type { Digest } from '../../domain/release.ts';
import {
  KNOWN_PLACEHOLDERS,
  parameterArn,
  parsePlaceholder,
  parseTemplate,
  placeholdersOf,
  render,
  withImage,
} from '../../domain/task-definition.ts';
import type { Placeholder, TaskDefinition } from '../../domain/task-definition.ts';
import type { AwsClients } from '../aws.ts';
import type { SourceReader } from '../source/reader.ts';
import { findReferences } from './references.ts';
import type { Referred } from './references.ts';
import type { ServicePlanInput } from './types.ts';

export interface RenderDeps {
  readonly aws: AwsClients;
  readonly source: Pick<SourceReader, 'readFile'>;
}

export type RenderInput = Omit<ServicePlanInput, 'services'>;

export type RenderedService =
  | {
      readonly kind: 'rendered';
      readonly definition: TaskDefinition;
      readonly image: Digest;
      /** Terraform outputs that are not known: their placeholders are left in the definition. */
      readonly missingOutputs: readonly string[];
      readonly references: readonly ReferencePlan[];
      /** Not hardened, or refers to what does not exist. */
      readonly problems: readonly string[];
    }
  | { readonly kind: 'invalid'; readonly problems: readonly string[] };

/** Renders a service's task definition from its template at the release's commit. */
export async function renderService(
  { aws, source }: RenderDeps,
  input: RenderInput,
  service: ServicePolicy,
): Promise<RenderedService> {
  const digest = input.manifest.images[service.name];
  if (!digest) return invalid(`the release has no image of ${service.name}`);
  const text = await readTemplate(source, input.manifest.commit, service.taskDefinition);
  if (typeof text !== 'string') return text;
  const parsed = parseTemplate(text);
  if (parsed.kind === 'invalid') return invalid(...parsed.problems);
  const image = `${input.registry.host}/${service.repository}@${digest}`;
  const template = withImage(parsed.template, service.container, image);
  if (!template) return invalid(noContainer(service, parsed.template));

  const placeholders = new Map(placeholdersOf(template).map((name) => [name, parsePlaceholder(name)]));
  const wrong = [...placeholders].flatMap(([name, known]) => placeholderProblem(input, name, known) ?? []);
  if (wrong.length > 0) return invalid(...wrong);
  const references = await findReferences(aws, input.target, referredBy(placeholders));
  const values = { ...plainValues(input, image), ...references.values };
  const { definition, unresolved } = render(template, values);
  return {
    kind: 'rendered',
    definition,
    image: digest,
    missingOutputs: unresolved.filter((name) => name.startsWith('output:')),
    references: references.plans,
    problems: [...references.problems, ...hardeningProblems(definition)],
  };
}

async function readTemplate(
  source: RenderDeps['source'],
  commit: string,
  path: string,
): Promise<string | RenderedService> {
  try {
    return await source.readFile(commit, path);
  } catch (error) {
    // What is wrong with the platform's own files is a finding beside the others; all else stops the activity.
    if (error instanceof ApplicationFailure && error.type?.startsWith('Path')) return invalid(error.message);
    throw error;
  }
}

function plainValues(
  { manifest, target, settings, outputs }: RenderInput,
  image: string,
): Record<string, string> {
  const parameters = Object.entries(settings).map(([key, name]) => [key, parameterArn(target, name)]);
  return {
    image,
    version: manifest.version,
    commit: manifest.commit,
    environment: target.environment,
    ...valuesOf('output', outputs),
    ...valuesOf('setting', Object.fromEntries(parameters)),
  };
}

function placeholderProblem(
  { settings }: RenderInput,
  text: string,
  placeholder: Placeholder | undefined,
): string | undefined {
  if (!placeholder) return `unknown placeholder \${${text}}; the placeholders are ${KNOWN_PLACEHOLDERS}`;
  if (placeholder.kind !== 'setting' || Object.hasOwn(settings, placeholder.name)) return undefined;
  const known = Object.keys(settings).join(', ') || 'none';
  return `\${${text}}: the release has no setting ${placeholder.name}; its settings are: ${known}`;
}

function referredBy(placeholders: ReadonlyMap<string, Placeholder | undefined>): Map<string, Referred> {
  const referred = [...placeholders].flatMap(([text, placeholder]) =>
    placeholder?.kind === 'secret' || placeholder?.kind === 'parameter' ? [[text, placeholder] as const] : [],
  );
  return new Map(referred);
}

function noContainer({ container }: ServicePolicy, template: TaskDefinition): string {
  const names = template.containerDefinitions.map(({ name }) => name ?? '(without a name)').join(', ');
  return `it has no container ${container}; its containers are ${names}`;
}

function invalid(...problems: string[]): RenderedService {
  return { kind: 'invalid', problems };
}

/** For a message: where the task definition comes from. */
export function templateOf(service: ServicePolicy, { environment }: Target): string {
  return `task definition of ${service.name} for ${environment} (${service.taskDefinition})`;
}
