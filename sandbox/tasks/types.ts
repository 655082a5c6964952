import type { ContainerDefinition, TaskStopCode } from '@aws-sdk/client-ecs';

/** A task as the runner is asked to run it: overrides are already in the container definitions. */
export interface TaskSpec {
  readonly taskArn: string;
  readonly taskId: string;
  readonly clusterName: string;
  readonly family: string;
  readonly taskDefinitionArn: string;
  /** None for a standalone task. */
  readonly serviceName?: string;
  readonly containers: readonly ContainerDefinition[];
  /** What the task may use: CPU units (1024 a core) and MiB. */
  readonly reserved: { readonly cpu: number; readonly memory: number };
}

/** A port of a container, and the port of 127.0.0.1 that it listens on. */
export interface PortBinding {
  readonly containerPort: number;
  readonly hostPort: number;
}

export type Health = 'HEALTHY' | 'UNHEALTHY' | 'UNKNOWN';

export interface StartedContainer {
  readonly name: string;
  readonly ports: readonly PortBinding[];
}

export interface StoppedContainer {
  readonly name: string;
  /** None when it never started, or when it ended while no sandbox was watching. */
  readonly exitCode?: number;
  readonly reason?: string;
}

/** Why a task stops, in ECS's terms. */
export interface StopCause {
  readonly code: TaskStopCode;
  readonly reason: string;
}

/** What happens to a task, in this order; any event but the last may be missing. */
export type TaskEvent =
  | { readonly kind: 'pulling' }
  | { readonly kind: 'pulled'; readonly digests: Readonly<Record<string, string>> }
  | { readonly kind: 'running'; readonly containers: readonly StartedContainer[] }
  | { readonly kind: 'health'; readonly containers: Readonly<Record<string, Health>> }
  | { readonly kind: 'stopping'; readonly cause: StopCause }
  | { readonly kind: 'stopped'; readonly cause: StopCause; readonly containers: readonly StoppedContainer[] };

export type TaskListener = (taskArn: string, event: TaskEvent) => void;

export interface RunningContainer {
  readonly name: string;
  /** The id of its process group; none before its start and after its end. */
  readonly group: number | undefined;
  readonly health: Health;
}

export interface RunningTask {
  readonly spec: TaskSpec;
  readonly containers: readonly RunningContainer[];
}

/** Runs tasks as processes of this machine. */
export interface TaskRunner {
  /** Begins to run the task; what happens is told to the listeners. */
  start(spec: TaskSpec): void;
  /**
   * Takes over what an earlier sandbox left: a task whose essential containers all run goes on, any other is told
   * as stopped; processes of none of these tasks are killed.
   */
  recover(specs: readonly TaskSpec[]): void;
  /** Stops the task's containers: SIGTERM, and SIGKILL after each container's stopTimeout. */
  stop(taskArn: string, cause: StopCause): void;
  onEvent(listener: TaskListener): void;
  /** The tasks that have not stopped. */
  running(): RunningTask[];
  /** Kills every process of every task. Tells nobody: the tasks are found stopped by the next sandbox. */
  close(): Promise<void>;
}

/** Why a task doesn't start: it fails with that stopped reason, or waits until `passed` is aborted. */
export type StartTrouble = { readonly reason: string } | { readonly passed: AbortSignal };

/** What goes wrong with tasks beside what their own programs do. Asked once for each start and stop. */
export interface TaskTrouble {
  atStart(spec: TaskSpec): StartTrouble | undefined;
  /** Whether the task's containers don't react to SIGTERM. */
  atStop(spec: TaskSpec): boolean;
}

/** A task can't start, for a reason that ECS has a name for; the message is the task's stopped reason. */
export class StartFailure extends Error {
  override readonly name = 'StartFailure';
}
