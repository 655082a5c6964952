import type { LockProof as Proof } from '../domain/ledger.ts';

/** Shown by every writing activity right before it writes: the run must still hold the environment's lock. */
export interface LockProof extends Proof {
  readonly environmentWorkflowId: string;
}

/** Throws a non-retryable `LockLost` when `proof` is not the environment's present holder. */
export type AssertHolder = (proof: LockProof) => Promise<void>;
