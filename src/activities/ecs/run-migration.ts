import { RunTaskCommand, StopTaskCommand } from '@aws-sdk/client-ecs';
import type { RunTaskCommandInput, Service, Task } from '@aws-sdk/client-ecs';
import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { digestOf } from '../../domain/digest.ts';
import type { MigrationPolicy, ServicePolicy, Target } from '../../domain/policy.ts';
import type { LockProof } from '../lock.ts';
import { pause, unlessCancelled } from '../pacing.ts';
import type { RolloutDeps } from './start-rollout.ts';
import { nameOf, stoppedReason } from './state.ts';

export interface RunMigrationInput {
  readonly target: Target;
  readonly service: ServicePolicy;
  readonly taskDefinition: string;
  readonly migration: MigrationPolicy;
  readonly direction: 'do' | 'undo';
  /** Names the run and step: at most 36 characters. */
  readonly startedBy: string;
  /**
   * Of an undo: `startedBy` of the migration that it takes back. When ECS knows no such task, nothing is run. ECS forgets
   * a stopped task after about an hour, so give it only as long as nobody knows whether the migration ran.
   */
  readonly lookFor?: string;
  readonly lock: LockProof;
}

export interface MigrationResult {
  readonly exitCode: number;
  readonly detail: string;
  /** Whether a task ran; `false` for the undo of a migration that never started. */
  readonly ran: boolean;
}

/**
 * Runs the migration as a one-off task in the service's network and waits for its exit. The task that an earlier attempt
 * started is found by `startedBy`, running or stopped. Cancelled, it stops the task and waits for that: what undoes the
 * migration must not run beside it.
 * @throws non-retryable `MigrationIrreversible`, `MigrationNotStarted`, `MigrationTimedOut`; CancelledFailure
 */
export async function runMigration(deps: RolloutDeps, input: RunMigrationInput): Promise<MigrationResult> {
  const began = await findTask(deps, input, input.startedBy);
  if (!began && (await neverStarted(deps, input))) return nothingRan(input);
  const command = input.direction === 'do' ? input.migration.command : input.migration.undo;
  if (!command) throw irreversible(input);
  if (input.direction === 'undo') await settleMigration(deps, input);
  const taskArn = began ?? (await startTask(deps, input, command));
  try {
    return resultOf(input, await waitForStop(deps, input, taskArn));
  } catch (error) {
    // A worker that shuts down leaves the task running: the next attempt finds it.
    const settles = Context.current().cancellationDetails?.cancelRequested || isTimeout(error);
    if (settles) await stopTask(deps, input, taskArn);
    throw error;
  }
}

/** How often a migration is looked for before it counts as never started: ECS may list a new task a little later. */
const LOOKS = 3;

/** An undo that knows what it takes back, of which there is no task, running or stopped. */
async function neverStarted(deps: RolloutDeps, input: RunMigrationInput): Promise<boolean> {
  const { direction, lookFor } = input;
  if (direction === 'do' || lookFor === undefined) return false;
  for (let look = 1; ; look++) {
    if (await findTask(deps, input, lookFor)) return false;
    if (look === LOOKS) return true;
    await pause(deps.pollMilliseconds);
  }
}

/** Before its undo: a migration that a lost attempt left running is stopped, so that both never run at once. */
async function settleMigration(deps: RolloutDeps, input: RunMigrationInput): Promise<void> {
  const running = await deps.reader.listTasks(input.target, {
    family: familyOf(input),
    desiredStatus: 'RUNNING',
  });
  const left = running.filter(
    ({ startedBy, overrides }) =>
      startedBy !== input.startedBy &&
      overrides?.containerOverrides?.some(({ command }) => isSameCommand(command, input.migration.command)),
  );
  for (const { taskArn } of left) {
    await deps.assertHolder(input.lock);
    if (taskArn) await stopTask(deps, input, taskArn);
  }
}

function isSameCommand(one: readonly string[] | undefined, other: readonly string[]): boolean {
  return one?.length === other.length && other.every((word, i) => one[i] === word);
}

function familyOf({ taskDefinition }: RunMigrationInput): string {
  return nameOf(taskDefinition).split(':')[0] ?? '';
}

async function findTask(
  { reader }: RolloutDeps,
  input: RunMigrationInput,
  startedBy: string,
): Promise<string | undefined> {
  const { target } = input;
  // ECS takes `startedBy` with no other filter, and lists running tasks then; stopped ones are found by their family.
  const [running, stopped] = await Promise.all([
    reader.listTasks(target, { startedBy }),
    reader.listTasks(target, { family: familyOf(input), desiredStatus: 'STOPPED' }),
  ]);
  return [...running, ...stopped].find((task) => task.startedBy === startedBy)?.taskArn;
}

async function startTask(
  deps: RolloutDeps,
  input: RunMigrationInput,
  command: readonly string[],
): Promise<string> {
  const { target, service, lock } = input;
  const current = await deps.reader.service(target, service.ecsService);
  await deps.assertHolder(lock);
  const { tasks = [], failures = [] } = await deps.aws
    .clientsFor(target)
    .ecs.send(new RunTaskCommand(runTaskRequest(input, command, current)));
  const [task] = tasks;
  if (task?.taskArn) return task.taskArn;
  const why = failures.map(({ reason, detail }) => detail ?? reason).join('; ') || 'no reason given';
  // No room in the cluster passes: another attempt may find some.
  throw ApplicationFailure.retryable(
    `ECS did not start the migration of ${service.name}: ${why}.`,
    'MigrationNotPlaced',
  );
}

function runTaskRequest(
  { target, service, taskDefinition, startedBy, direction }: RunMigrationInput,
  command: readonly string[],
  current: Service | undefined,
): RunTaskCommandInput {
  const { networkConfiguration, launchType, capacityProviderStrategy, platformVersion } = current ?? {};
  const providers = capacityProviderStrategy?.length
    ? { capacityProviderStrategy }
    : launchType && { launchType };
  return {
    cluster: target.cluster,
    taskDefinition,
    startedBy,
    clientToken: digestOf({ cluster: target.cluster, startedBy, direction }).slice('sha256:'.length),
    overrides: { containerOverrides: [{ name: service.container, command: [...command] }] },
    ...(networkConfiguration && { networkConfiguration }),
    ...(platformVersion && { platformVersion }),
    ...providers,
  };
}

async function waitForStop(deps: RolloutDeps, input: RunMigrationInput, taskArn: string): Promise<Task> {
  const { timeoutSeconds } = input.migration;
  for (;;) {
    const [task] = await unlessCancelled(deps.reader.describeTasks(input.target, [taskArn]));
    if (task?.lastStatus === 'STOPPED') return task;
    const age = Date.now() - (task?.createdAt?.getTime() ?? Date.now());
    if (age > timeoutSeconds * 1000) throw timedOut(input, taskArn);
    await pause(deps.pollMilliseconds);
  }
}

async function stopTask(
  { aws, reader, pollMilliseconds }: RolloutDeps,
  { target }: RunMigrationInput,
  task: string,
) {
  const { ecs } = aws.clientsFor(target);
  await ecs.send(new StopTaskCommand({ cluster: target.cluster, task, reason: 'Stopped by Slipway' }));
  for (;;) {
    const [stopping] = await reader.describeTasks(target, [task]);
    if (!stopping || stopping.lastStatus === 'STOPPED') return;
    Context.current().heartbeat();
    // The activity is cancelled already, so its own sleep would not wait.
    await new Promise((resolve) => setTimeout(resolve, pollMilliseconds));
  }
}

function resultOf({ service }: RunMigrationInput, task: Task): MigrationResult {
  const exitCode = task.containers?.find(({ name }) => name === service.container)?.exitCode;
  const detail = `task ${nameOf(task.taskArn)}: ${stoppedReason(task)}`;
  if (exitCode !== undefined) return { exitCode, detail, ran: true };
  throw ApplicationFailure.nonRetryable(
    `The migration of ${service.name} never ran: ${detail}. Nothing was migrated; remove the cause and start again.`,
    'MigrationNotStarted',
    { service: service.name, taskArn: task.taskArn },
  );
}

function nothingRan({ service, target, lookFor }: RunMigrationInput): MigrationResult {
  const detail = `The migration of ${service.name} never started: ${target.cluster} has no task started by ${lookFor}. There is nothing to take back.`;
  return { exitCode: 0, detail, ran: false };
}

function irreversible({ service }: RunMigrationInput): ApplicationFailure {
  return ApplicationFailure.nonRetryable(
    `The migration of ${service.name} declares no undo in slipway.yaml: it can't be taken back.`,
    'MigrationIrreversible',
  );
}

const TIMED_OUT = 'MigrationTimedOut';

function timedOut({ service, migration }: RunMigrationInput, taskArn: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(
    `The migration of ${service.name} ran longer than ${migration.timeoutSeconds} s and was stopped. Look at its log (task ${nameOf(taskArn)}) before starting again.`,
    TIMED_OUT,
    { service: service.name, taskArn },
  );
}

function isTimeout(error: unknown): boolean {
  return error instanceof ApplicationFailure && error.type === TIMED_OUT;
}
