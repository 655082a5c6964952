import { beating } from '../process/supervisor.ts';

/** Places for work at the same time. */
export interface Slots {
  /**
   * Does `work` once there is a place for it. Who came first goes first, whatever they are up to: nobody is overtaken, so
   * that nobody starves, and an undo waits behind what was there before it. Gives signs of life while it waits.
   * @throws the signal's reason when it is aborted before `work` begins
   */
  within<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T>;
}

/** @param count how many may work at the same time in this process; 1 or more */
export function createSlots(count: number): Slots {
  let free = count;
  const waiting: (() => void)[] = [];

  const take = async (signal: AbortSignal): Promise<void> => {
    if (free > 0) {
      free -= 1;
      return;
    }
    await beating(`waiting: ${count} others run terraform on this worker`, () => turn(waiting, signal));
  };
  // Handed on, not freed: whoever comes this instant does not get in between.
  const handOn = () => {
    const next = waiting.shift();
    if (next) next();
    else free += 1;
  };

  return {
    async within(signal, work) {
      signal.throwIfAborted();
      await take(signal);
      try {
        return await work();
      } finally {
        handOn();
      }
    },
  };
}

/** Resolves when the turn has come. */
function turn(waiting: (() => void)[], signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const come = () => {
    signal.removeEventListener('abort', leave);
    resolve();
  };
  const leave = () => {
    waiting.splice(waiting.indexOf(come), 1);
    reject(signal.reason);
  };
  waiting.push(come);
  signal.addEventListener('abort', leave, { once: true });
  return promise;
}
