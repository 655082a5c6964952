import { waves } from '../domain/waves.ts';
import { approvalProblems } from './approvals.ts';
import type { Path } from './document.ts';
import { environmentProblems, sharingProblems } from './environments.ts';
import { placeholderProblems } from './placeholders.ts';
import type { PlatformProblem } from './problems.ts';
import { unknownName } from './problems.ts';
import { mapAt, stringAt, stringsAt, valueAt } from './raw.ts';

/** What a platform's fields say of each other: names that must exist, cycles, rules that can't be met. */
export function referenceProblems(platform: unknown): PlatformProblem[] {
  const environments = Object.entries(mapAt(platform, 'environments'));
  return [
    ...emptyProblems(platform),
    ...serviceProblems(platform),
    ...nameProblems(platform),
    ...placeholderProblems(platform),
    ...sharingProblems(environments),
    ...environments.flatMap(([name, environment]) => [
      ...environmentProblems(environment, ['environments', name]),
      ...approvalProblems(valueAt(environment, 'approval'), mapAt(platform, 'groups'), [
        'environments',
        name,
        'approval',
      ]),
    ]),
  ];
}

function emptyProblems(platform: unknown): PlatformProblem[] {
  return ['services', 'environments']
    .filter(
      (field) => valueAt(platform, field) !== undefined && Object.keys(mapAt(platform, field)).length === 0,
    )
    .map((field) => ({ path: [field], found: `no ${field}`, allowed: `one or more ${field} by name` }));
}

function serviceProblems(platform: unknown): PlatformProblem[] {
  const services = Object.entries(mapAt(platform, 'services')).map(([name, service]) => ({
    name,
    dependsOn: stringsAt(service, 'dependsOn'),
    ecsService: stringAt(service, 'ecsService') ?? name,
  }));
  const ordered = waves(services);
  const cycles = ordered.kind === 'cyclic' ? ordered.cycles : [];
  const twice = services.filter(
    ({ ecsService }, i) => services.findIndex((other) => other.ecsService === ecsService) < i,
  );
  return [
    ...cycles.map((cycle) => ({
      path: ['services', cycle[0] ?? '', 'dependsOn'],
      found: `a cycle: ${[...cycle, cycle[0]].join(' -> ')}`,
      allowed: 'dependencies without a cycle: one of these has to go',
    })),
    ...twice.map(({ name, ecsService }) => ({
      path: ['services', name, 'ecsService'],
      found: `the ECS service name ${ecsService} a second time`,
      allowed: 'a name of its own for each service',
    })),
  ];
}

/** Names that must be those of something: each with the names there are. */
function nameProblems(platform: unknown): PlatformProblem[] {
  const services = Object.keys(mapAt(platform, 'services'));
  const groups = Object.keys(mapAt(platform, 'groups'));
  const suites = Object.keys(mapAt(platform, 'tests'));
  const migration = stringAt(platform, 'migration', 'service');
  return [
    ...services.flatMap((name) =>
      unknown(
        ['services', name, 'dependsOn'],
        'service',
        services,
        stringsIn(platform, 'services', name, 'dependsOn'),
      ),
    ),
    ...(migration === undefined ? [] : unknown(['migration'], 'service', services, [['service', migration]])),
    ...Object.keys(mapAt(platform, 'signals')).flatMap((signal) =>
      unknown(['signals', signal], 'group', groups, stringsIn(platform, 'signals', signal)),
    ),
    ...Object.entries(mapAt(platform, 'environments')).flatMap(([name, environment]) => {
      const tester = stringAt(environment, 'verification', 'manualTest', 'group');
      const base = ['environments', name];
      return [
        ...unknown([...base, 'desiredCount'], 'service', services, keysOf(environment, 'desiredCount')),
        ...unknown(
          [...base, 'approval', 'required'],
          'group',
          groups,
          keysOf(environment, 'approval', 'required'),
        ),
        ...unknown(
          [...base, 'verification', 'tests'],
          'test suite',
          suites,
          stringsIn(environment, 'verification', 'tests'),
        ),
        ...unknown(
          [...base, 'rollout', 'canary', 'services'],
          'service',
          services,
          stringsIn(environment, 'rollout', 'canary', 'services'),
        ),
        ...unknown(
          [...base, 'rollout', 'canary', 'smoke'],
          'test suite',
          suites,
          stringsIn(environment, 'rollout', 'canary', 'smoke'),
        ),
        ...(tester === undefined
          ? []
          : unknown([...base, 'verification', 'manualTest'], 'group', groups, [['group', tester]])),
      ];
    }),
  ];
}

/** A name and the step to it from its parent. */
type Named = readonly [step: string | number, name: string];

function unknown(
  base: Path,
  what: string,
  known: readonly string[],
  names: readonly Named[],
): PlatformProblem[] {
  return names
    .filter(([, name]) => !known.includes(name))
    .map(([step, name]) => unknownName([...base, step], what, name, known));
}

function stringsIn(value: unknown, ...path: string[]): Named[] {
  const found = valueAt(value, ...path);
  return Array.isArray(found)
    ? found.flatMap((item: unknown, i) => (typeof item === 'string' ? [[i, item] as const] : []))
    : [];
}

function keysOf(value: unknown, ...path: string[]): Named[] {
  return Object.keys(mapAt(value, ...path)).map((key) => [key, key] as const);
}
