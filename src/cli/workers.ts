import type { Session } from './session.ts';

/** `TASK_QUEUE_TYPE_WORKFLOW` and `_ACTIVITY` of Temporal's API (temporal.api.enums.v1.TaskQueueType). */
const KINDS = [
  ['workflows', 1],
  ['activities', 2],
] as const;

/** A worker that polls the task queue, as the server remembers it. */
export interface Poller {
  readonly identity: string;
  /** Milliseconds since the Unix epoch, when its last poll began. */
  readonly lastPoll: number;
  readonly polls: readonly (typeof KINDS)[number][0][];
}

/**
 * The server remembers a poller for five minutes. One poll lasts a minute at most, then the next begins: a worker that has
 * not polled for longer than this is gone.
 */
const GONE_AFTER = 90_000;

export async function describeWorkers(session: Session, now = Date.now()): Promise<Poller[]> {
  const { client, config } = session;
  const workers = new Map<string, Poller>();
  for (const [kind, taskQueueType] of KINDS) {
    const { namespace } = client.options;
    const asked = { namespace, taskQueue: { name: config.taskQueue }, taskQueueType };
    // The enum is in a package that the client brings along, not one of ours.
    // oxlint-disable-next-line typescript/no-unsafe-enum-assignment
    const { pollers } = await client.workflowService.describeTaskQueue(asked);
    for (const { identity, lastAccessTime } of pollers ?? []) {
      const name = identity ?? 'a worker without a name';
      const known = workers.get(name);
      const lastPoll = Math.max(Number(lastAccessTime?.seconds ?? 0) * 1000, known?.lastPoll ?? 0);
      workers.set(name, { identity: name, lastPoll, polls: [...(known?.polls ?? []), kind] });
    }
  }
  return [...workers.values()].filter(({ lastPoll }) => now - lastPoll < GONE_AFTER);
}
