import { hostname, userInfo } from 'node:os';
import type { Workspace } from '../command/command.ts';
import { UNTOLD, lockLasts, readStateLock } from '../state/state-lock.ts';
import type { LockReading } from '../state/state-lock.ts';
import type { UiStream } from '../command/stream.ts';
import type { StateLock } from '../types.ts';

/** The operation of an apply's lock. */
const APPLY = 'OperationTypeApply';
/** One can come to nothing, when it falls between two changes or the backend is busy: each time it is waited longer. */
const LOOKS = 20;

/**
 * Finds out which state lock a running apply holds, which terraform doesn't tell. A look at the lock while the apply
 * changes something, which it does under its lock alone, meets the apply's own; one after which it still changes
 * something met no other. The looks run beside the apply: their failing is no failure, and an apply that is over before
 * its first change is seen gets none.
 */
export class OwnLock {
  readonly #workspace: () => Promise<Workspace>;
  readonly #record: (lock: StateLock) => Promise<void>;
  #left = LOOKS;
  /** Calls to let pass before the next look. */
  #pause = 0;
  #looking: Promise<void> | undefined;
  #seen: LockReading | undefined;

  /**
   * @param record called once, with the lock; its failing is ignored
   * @param known the lock, when an earlier attempt found it
   */
  constructor(
    workspace: () => Promise<Workspace>,
    record: (lock: StateLock) => Promise<void>,
    known: StateLock | undefined,
  ) {
    this.#workspace = workspace;
    this.#record = record;
    if (known) this.#left = 0;
  }

  /** To be called at each look at the running apply. @param stream as it is now */
  consider(stream: UiStream): void {
    if (!stream.busy) {
      this.#seen = undefined;
    } else if (this.#seen) {
      const lock = ownLock(this.#seen);
      this.#seen = undefined;
      if (lock) this.#keep(lock);
    } else if (this.#pause > 0) {
      this.#pause -= 1;
    } else if (this.#looking === undefined && this.#left > 0) {
      this.#pause = LOOKS - this.#left;
      this.#left -= 1;
      this.#looking = this.#look();
    }
  }

  /** Returns once nothing of it runs any more. */
  async settled(): Promise<void> {
    this.#left = 0;
    await this.#looking;
  }

  async #look(): Promise<void> {
    try {
      const workspace = await this.#workspace();
      if (lockLasts(workspace.origin.backend)) this.#seen = await readStateLock(workspace);
      else this.#left = 0;
    } catch {
      // Without a workspace there is nothing to look with.
    } finally {
      this.#looking = undefined;
    }
  }

  #keep(lock: StateLock): void {
    this.#left = 0;
    this.#looking = this.#record(lock).catch(() => undefined);
  }
}

/** What the backend does not tell of a lock that can only be the apply's own is known without it. */
function ownLock(reading: LockReading): StateLock | undefined {
  if (reading.kind !== 'held' || reading.lock === undefined) return undefined;
  const { operation, who } = reading.lock;
  if (operation !== UNTOLD) return operation === APPLY ? reading.lock : undefined;
  return {
    ...reading.lock,
    operation: APPLY,
    who: who === UNTOLD ? `${userInfo().username}@${hostname()}` : who,
  };
}
