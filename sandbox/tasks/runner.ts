import type { ContainerHost, ProcessRecord } from './container.ts';
import { createPortAllocator } from './ports.ts';
import { signalGroup } from './process.ts';
import { TaskRun } from './task-run.ts';
import type { TaskListener, TaskRunner, TaskSpec } from './types.ts';
import type { Store } from '../store.ts';
import { isRunning } from '../process-identity.ts';

export interface RunnerDependencies extends Omit<ContainerHost, 'records' | 'flush' | 'ports' | 'hostPath'> {
  readonly store: Store;
}

/** Tasks as processes of this machine, on record in the store so that none is ever lost. */
export function createTaskRunner({ store, ...dependencies }: RunnerDependencies): TaskRunner {
  const records = store.table<ProcessRecord>('tasks.processes');
  const host: ContainerHost = {
    ...dependencies,
    records,
    flush: () => store.flush(),
    ports: createPortAllocator(),
    hostPath: process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin',
  };
  const runs = new Map<string, TaskRun>();
  const listeners: TaskListener[] = [];
  let closed = false;

  const add = (spec: TaskSpec): TaskRun => {
    const run = new TaskRun(host, spec, (event) => {
      if (event.kind === 'stopped') runs.delete(spec.taskArn);
      if (!closed) for (const listener of listeners) listener(spec.taskArn, event);
    });
    runs.set(spec.taskArn, run);
    return run;
  };

  return {
    start(spec) {
      if (!closed) void add(spec).start();
    },
    recover(specs) {
      const known = new Set(specs.map(({ taskArn }) => taskArn));
      for (const [key, { identity }] of records.entries()) {
        if (known.has(key.slice(0, key.lastIndexOf(' ')))) continue;
        if (isRunning(identity)) signalGroup(identity, 'SIGKILL');
        records.delete(key);
      }
      for (const spec of specs) void add(spec).adopt();
    },
    stop: (taskArn, cause) => runs.get(taskArn)?.stop(cause),
    onEvent: (listener) => void listeners.push(listener),
    running: () =>
      [...runs.values()].map(({ spec, containers }) => ({
        spec,
        containers: containers.map(({ name, group, health }) => ({ name, group, health })),
      })),
    async close() {
      closed = true;
      await Promise.all([...runs.values()].map((run) => run.kill()));
    },
  };
}
