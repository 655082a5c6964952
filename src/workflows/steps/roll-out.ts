/** The steps that bring the release's tasks up, each with what takes it back. */
import { ApplicationFailure, workflowInfo } from '@temporalio/workflow';
import type { Shifting } from '../../activities/canary/types.ts';
import type { Rollout, ServiceState } from '../../activities/ecs/types.ts';
import type { Outputs } from '../../activities/terraform/types.ts';
import type { RolloutKind } from '../../domain/evidence.ts';
import type { ServicePolicy } from '../../domain/policy.ts';
import { waves } from '../../domain/waves.ts';
import { activities } from '../activities.ts';
import { Ended, failureType } from '../failures.ts';
import type { DeploymentRun } from '../run/deployment-run.ts';
import { now } from '../run/time.ts';
import { Canary, type WaitingCanaries } from './canary.ts';
import { followToItsEnd } from './follow.ts';
import { parametersOf, type Prepared } from './prepare.ts';
import { runSuite } from './test-suite.ts';

export interface Deployed extends WaitingCanaries {
  readonly outputs: Outputs;
  /** Task definition ARN per service. */
  readonly taskDefinitions: Readonly<Record<string, string>>;
  /** When the first rollout began, ISO 8601. */
  readonly rolledOutSince: string;
}

/** Registers the task definitions, runs the migration, and rolls the services out wave by wave. */
export async function rollOutAll(
  run: DeploymentRun,
  prepared: Prepared,
  outputs: Outputs,
): Promise<Deployed> {
  const taskDefinitions: Record<string, string> = {};
  await run.step(
    'task definitions',
    async () => {
      for (const service of run.policy.services) {
        taskDefinitions[service.name] = await registerTaskDefinition(run, prepared, service, outputs);
      }
    },
    { detail: () => Object.values(taskDefinitions).map(revisionOf).join(', ') },
  );
  await migrate(run, taskDefinitions);
  const rolledOutSince = now();
  const canary = new Canary(run);
  for (const wave of wavesOf(run.policy.services)) {
    const going = (by: RolloutKind) => wave.filter(({ name }) => kindOf(prepared, name) === by);
    await shift(run, prepared, canary, going('canary'), { outputs, taskDefinitions });
    for (const service of going('rolling')) {
      const state = previousState(prepared, service);
      await canary.beside(() => roll(run, service, taskDefinitions[service.name] ?? '', state));
    }
  }
  return { outputs, taskDefinitions, rolledOutSince, ...canary.handOver() };
}

/** Shifts the traffic of one wave to the release; it stays at its last pause. */
async function shift(
  run: DeploymentRun,
  prepared: Prepared,
  canary: Canary,
  wave: readonly ServicePolicy[],
  { outputs, taskDefinitions }: Pick<Deployed, 'outputs' | 'taskDefinitions'>,
): Promise<void> {
  const shifting: Shifting[] = [];
  for (const service of wave) {
    const state = previousState(prepared, service);
    const rollout = await start(run, service, taskDefinitions[service.name] ?? '', state);
    if (rollout.serviceDeploymentArn !== undefined) shifting.push({ service, rollout });
    // It runs the release already: at most its tasks' number changes.
    else await followToItsEnd(run, { service, rollout });
  }
  if (shifting.length === 0) return;
  await canary.shift(shifting, async () => {
    for (const suite of run.policy.rollout.canary?.smoke ?? []) await runSuite(run, suite, outputs);
  });
}

async function start(
  run: DeploymentRun,
  service: ServicePolicy,
  taskDefinition: string,
  previous: ServiceState,
): Promise<Rollout> {
  return await run.step(
    `canary of ${service.name}`,
    () => startRollout(run, service, taskDefinition, 'canary'),
    {
      undo: () => restore(run, service, taskDefinition, previous),
      detail: ({ serviceDeploymentArn: arn }) => arn ?? 'already runs this release',
    },
  );
}

async function roll(
  run: DeploymentRun,
  service: ServicePolicy,
  taskDefinition: string,
  previous: ServiceState,
): Promise<void> {
  await run.step(
    `roll out ${service.name}`,
    async () => {
      const rollout = await startRollout(run, service, taskDefinition, 'rolling');
      run.note(rollout.serviceDeploymentArn ?? 'already runs this release');
      await followToItsEnd(run, { service, rollout });
      return rollout;
    },
    {
      undo: () => restore(run, service, taskDefinition, previous),
      detail: ({ desiredCount }) => `${desiredCount} tasks on ${run.release.version}`,
    },
  );
}

async function startRollout(
  run: DeploymentRun,
  service: ServicePolicy,
  taskDefinition: string,
  by: RolloutKind,
): Promise<Rollout> {
  const { target, rollout } = run.policy;
  const { proof: lock } = run.lock;
  const input = { target, service, taskDefinition, rollout, by, lock };
  return await activities('write', `start ${service.name}`).startRollout(input);
}

async function restore(
  run: DeploymentRun,
  service: ServicePolicy,
  ours: string,
  previous: ServiceState,
): Promise<{ outcome: 'undone' | 'nothing to undo'; detail: string }> {
  const { target, rollout } = run.policy;
  const { proof: lock } = run.lock;
  const going = activities('undo', `${service.name} back to what ran`);
  return await going.restoreService({ target, service, previous, ours, rollout, lock });
}

async function registerTaskDefinition(
  run: DeploymentRun,
  { manifest, settings: planned }: Prepared,
  service: ServicePolicy,
  outputs: Outputs,
): Promise<string> {
  const { target, registry } = run.policy;
  const { proof: lock } = run.lock;
  return await activities('write', `task definition of ${service.name}`).registerTaskDefinition({
    target,
    registry,
    service,
    manifest,
    settings: parametersOf(planned),
    outputs,
    lock,
  });
}

async function migrate(run: DeploymentRun, taskDefinitions: Readonly<Record<string, string>>): Promise<void> {
  const { migration, services: all, target } = run.policy;
  const service = all.find(({ name }) => name === migration?.service);
  if (migration === undefined || service === undefined) return;
  const { proof: lock } = run.lock;
  const taskDefinition = taskDefinitions[service.name] ?? '';
  const input = { target, service, taskDefinition, migration, lock };
  const startedBy = (direction: string) => `${direction}-${workflowInfo().firstExecutionRunId}`.slice(0, 36);
  const { timeoutSeconds, command, undo } = migration;
  let ended = false;
  await run.step(
    'migration',
    async () => {
      const done = await activities('process', command.join(' '), timeoutSeconds).runMigration({
        ...input,
        direction: 'do',
        startedBy: startedBy('m'),
      });
      ended = true;
      if (done.exitCode !== 0) throw new Ended('RolledBack', `the migration failed: ${done.detail}`);
    },
    {
      undo: async () => {
        const irreversible = {
          outcome: 'not possible',
          detail: 'the migration is declared irreversible',
        } as const;
        if (ended && undo === undefined) return irreversible;
        // Whether a migration that did not end had begun, its task says.
        const lookFor = ended ? {} : { lookFor: startedBy('m') };
        const tasks = activities('undo', (undo ?? command).join(' '), timeoutSeconds);
        try {
          const back = await tasks.runMigration({
            ...input,
            ...lookFor,
            direction: 'undo',
            startedBy: startedBy('u'),
          });
          if (back.ran === false) return { outcome: 'nothing to undo', detail: back.detail };
          if (back.exitCode === 0) return { outcome: 'undone', detail: (undo ?? []).join(' ') };
          throw ApplicationFailure.nonRetryable(
            `the migration's undo failed: ${back.detail}`,
            'MigrationNotUndone',
          );
        } catch (error) {
          if (failureType(error) === 'MigrationIrreversible') return irreversible;
          throw error;
        }
      },
    },
  );
}

function previousState({ services: { states } }: Prepared, { name }: ServicePolicy): ServiceState {
  const state = states.find(({ service }) => service === name);
  if (state === undefined) throw new Ended('PreflightFailed', `the plan says nothing of the service ${name}`);
  return state;
}

function kindOf({ services: { services } }: Prepared, name: string): RolloutKind {
  return services.find(({ service }) => service === name)?.rollout ?? 'rolling';
}

/** A cycle was refused when the policy was loaded. */
function wavesOf(services: readonly ServicePolicy[]): readonly (readonly ServicePolicy[])[] {
  const ordered = waves(services);
  return ordered.kind === 'ordered' ? ordered.waves : services.map((service) => [service]);
}

/** The short name of a task definition's ARN, such as `editor:7`. */
function revisionOf(arn: string): string {
  return arn.split('/').at(-1) ?? arn;
}
