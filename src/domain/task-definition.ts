import { isObject } from './is-object.ts';
import type { ContainerDefinition, HardenedDefinition } from './hardening.ts';
import { substitute } from './placeholders.ts';
import type { Target } from './policy.ts';

/** A task definition as RegisterTaskDefinition takes it: its strings may hold placeholders until it is rendered. */
export interface TaskDefinition extends HardenedDefinition {
  readonly family: string;
  readonly [field: string]: unknown;
}

export type ParsedTemplate =
  | { readonly kind: 'ok'; readonly template: TaskDefinition }
  | { readonly kind: 'invalid'; readonly problems: readonly string[] };

/** RegisterTaskDefinition's request members; the SDK would drop any other without a word. */
const FIELDS = [
  'family',
  'taskRoleArn',
  'executionRoleArn',
  'networkMode',
  'containerDefinitions',
  'volumes',
  'placementConstraints',
  'requiresCompatibilities',
  'cpu',
  'memory',
  'tags',
  'pidMode',
  'ipcMode',
  'proxyConfiguration',
  'inferenceAccelerators',
  'ephemeralStorage',
  'runtimePlatform',
  'enableFaultInjection',
];

/** Reads a template's JSON. */
export function parseTemplate(text: string): ParsedTemplate {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return {
      kind: 'invalid',
      problems: [`it is not JSON: ${error instanceof Error ? error.message : String(error)}`],
    };
  }
  if (isTaskDefinition(json)) return { kind: 'ok', template: json };
  return { kind: 'invalid', problems: shapeProblems(json) };
}

function isTaskDefinition(json: unknown): json is TaskDefinition {
  return shapeProblems(json).length === 0;
}

function shapeProblems(json: unknown): string[] {
  if (!isObject(json)) return ['it must be a JSON object with the fields of RegisterTaskDefinition'];
  const unknown = Object.keys(json).filter((field) => !FIELDS.includes(field));
  const { family, containerDefinitions: containers } = json;
  return [
    ...unknown.map((field) => `${field}: no such field; the fields are ${FIELDS.join(', ')}`),
    ...(typeof family === 'string' && family ? [] : ['family: it must be a text, such as writing-editor']),
    ...(Array.isArray(containers) && containers.length > 0 && containers.every(isObject)
      ? []
      : ['containerDefinitions: it must be a list of at least one object']),
  ];
}

/** Puts `image` on `container`. @returns `undefined` when the template has no such container */
export function withImage(
  template: TaskDefinition,
  container: string,
  image: string,
): TaskDefinition | undefined {
  if (!template.containerDefinitions.some(({ name }) => name === container)) return undefined;
  const set = (definition: ContainerDefinition) =>
    definition.name === container ? { ...definition, image } : definition;
  return { ...template, containerDefinitions: template.containerDefinitions.map(set) };
}

/** Every placeholder in the template's strings, without `${` and `}`, each once. */
export function placeholdersOf(template: TaskDefinition): string[] {
  return render(template, {}).unresolved;
}

export interface Rendered {
  readonly definition: TaskDefinition;
  /** Placeholders without a value: they are left in the definition. */
  readonly unresolved: string[];
}

/** Puts `values` into every string of the template; keys of objects are left alone. */
export function render(template: TaskDefinition, values: Readonly<Record<string, string>>): Rendered {
  const unresolved = new Set<string>();
  const visit = (value: unknown): unknown => {
    if (typeof value === 'string') {
      const result = substitute(value, values);
      for (const name of result.unresolved) unresolved.add(name);
      return result.text;
    }
    if (Array.isArray(value)) return value.map(visit);
    if (!isObject(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, visit(member)]));
  };
  const fields = Object.entries(template).map(([field, value]) => [field, visit(value)]);
  const definition = { ...template, ...Object.fromEntries(fields) };
  return { definition, unresolved: [...unresolved] };
}

export type Placeholder =
  | { readonly kind: 'image' | 'version' | 'commit' | 'environment' }
  | { readonly kind: 'output' | 'setting'; readonly name: string }
  | { readonly kind: 'parameter'; readonly name: string }
  | { readonly kind: 'secret'; readonly name: string; readonly jsonKey?: string };

export const KNOWN_PLACEHOLDERS =
  '${image}, ${version}, ${commit}, ${environment}, ${output:NAME}, ${setting:KEY}, ${secret:NAME}, ${secret:NAME:json-key}, ${parameter:NAME}';

/** @returns what the placeholder asks for; `undefined` when there is no such placeholder */
export function parsePlaceholder(placeholder: string): Placeholder | undefined {
  const [kind, name, jsonKey, ...more] = placeholder.split(':');
  switch (kind) {
    case 'image':
    case 'version':
    case 'commit':
    case 'environment':
      return name === undefined ? { kind } : undefined;
    case 'output':
    case 'setting':
    case 'parameter':
      return name && jsonKey === undefined ? { kind, name } : undefined;
    case 'secret':
      return name && jsonKey !== '' && more.length === 0
        ? { kind, name, ...(jsonKey && { jsonKey }) }
        : undefined;
    case undefined:
    default:
      return undefined;
  }
}

/** ARN of an SSM parameter. A name in a hierarchy starts with `/`, which the ARN holds once. */
export function parameterArn({ region, account }: Pick<Target, 'region' | 'account'>, name: string): string {
  return `arn:${partitionOf(region)}:ssm:${region}:${account}:parameter/${name.replace(/^\//, '')}`;
}

/**
 * `valueFrom` of a secret pinned to one version: `arn:json-key:version-stage:version-id`
 * (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-secrets-manager.html).
 */
export function secretValueFrom(arn: string, versionId: string, jsonKey = ''): string {
  return `${arn}:${jsonKey}::${versionId}`;
}

function partitionOf(region: string): string {
  if (region.startsWith('cn-')) return 'aws-cn';
  return region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws';
}
