import type { Trouble } from './exit-codes.ts';

/** Ends a command: `message` is for people and says what to do, `reason` decides the exit code. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly reason: Trouble | 'InvalidInput';

  constructor(reason: Trouble | 'InvalidInput', message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}
