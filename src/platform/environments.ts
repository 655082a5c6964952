import { canaryProblems } from './canary.ts';
import type { Path } from './document.ts';
import type { PlainMap } from './merge.ts';
import type { PlatformProblem } from './problems.ts';
import { mapAt, stringAt, valueAt } from './raw.ts';
import { DEFAULTS } from './schema.ts';

type NamedEnvironment = readonly [name: string, environment: unknown];

/** What is wrong with an environment by itself. */
export function environmentProblems(environment: unknown, path: Path): PlatformProblem[] {
  return [
    ...roleProblem(environment, path),
    ...rolloutProblem(environment, path),
    ...metricProblems(environment, path),
    ...variableProblems(environment, path),
    ...canaryProblems(valueAt(environment, 'rollout', 'canary'), [...path, 'rollout', 'canary']),
  ];
}

/** What is wrong with environments beside each other: two that would overwrite one another. */
export function sharingProblems(environments: readonly NamedEnvironment[]): PlatformProblem[] {
  return [
    ...sharing(
      environments,
      clusterOf,
      'cluster',
      'cluster',
      'a cluster of its own: both would change the same ECS services',
    ),
    ...sharing(
      environments,
      stateOf,
      'terraform',
      'Terraform state',
      'a directory or a backend setting of its own: both would change the same state',
    ),
  ];
}

function sharing(
  environments: readonly NamedEnvironment[],
  key: (environment: unknown) => string | undefined,
  field: string,
  what: string,
  allowed: string,
): PlatformProblem[] {
  return environments.flatMap(([name, environment], i) => {
    const own = key(environment);
    const first = environments.slice(0, i).find(([, other]) => own !== undefined && key(other) === own);
    return first
      ? [{ path: ['environments', name, field], found: `the ${what} of ${first[0]}`, allowed }]
      : [];
  });
}

function clusterOf(environment: unknown): string | undefined {
  const place = ['account', 'region', 'cluster'].map((field) => stringAt(environment, field));
  return place.includes(undefined) ? undefined : place.join(' ');
}

function stateOf(environment: unknown): string | undefined {
  const directory = stringAt(environment, 'terraform', 'directory');
  return directory === undefined
    ? undefined
    : JSON.stringify([directory, byName(mapAt(environment, 'terraform', 'backend'))]);
}

function roleProblem(environment: unknown, path: Path): PlatformProblem[] {
  const account = stringAt(environment, 'account');
  const role = stringAt(environment, 'role');
  const owner = /^arn:[\w-]+:iam::(\d{12}):/.exec(role ?? '')?.[1];
  if (account === undefined || owner === undefined || owner === account) return [];
  return [
    {
      path: [...path, 'role'],
      found: `a role of the account ${owner}`,
      allowed: `a role of the environment's account, ${account}`,
    },
  ];
}

function rolloutProblem(environment: unknown, path: Path): PlatformProblem[] {
  const least = valueAt(environment, 'rollout', 'minimumHealthyPercent') ?? DEFAULTS.minimumHealthyPercent;
  const most = valueAt(environment, 'rollout', 'maximumPercent') ?? DEFAULTS.maximumPercent;
  if (least !== 100 || most !== 100) return [];
  return [
    {
      path: [...path, 'rollout', 'maximumPercent'],
      found: '100 beside a minimumHealthyPercent of 100, which leaves ECS no task to replace',
      allowed: 'more than 100, or a lower minimumHealthyPercent',
    },
  ];
}

function metricProblems(environment: unknown, path: Path): PlatformProblem[] {
  const metrics = mapAt(environment, 'verification', 'metrics');
  if (metrics['minimumRequests'] !== undefined) return [];
  return ['maximumErrorRate', 'latency']
    .filter((field) => metrics[field] !== undefined)
    .map((field) => ({
      path: [...path, 'verification', 'metrics', field],
      found: 'a threshold without minimumRequests, which judges nothing',
      allowed: `${field} together with minimumRequests`,
    }));
}

function variableProblems(environment: unknown, path: Path): PlatformProblem[] {
  const variables = mapAt(environment, 'terraform', 'variables');
  return Object.keys(mapAt(environment, 'terraform', 'parameters'))
    .filter((name) => Object.hasOwn(variables, name))
    .map((name) => ({
      path: [...path, 'terraform', 'parameters', name],
      found: `the Terraform variable ${name}, which terraform.variables gives a value too`,
      allowed: 'each variable in one of terraform.variables and terraform.parameters',
    }));
}

function byName(map: PlainMap): [string, unknown][] {
  return Object.entries(map).toSorted(([a], [b]) => (a < b ? -1 : 1));
}
