import type { LockToken } from '../domain/ledger.ts';

/** Shown by every writing activity right before it writes: the run must still hold the environment's lock. */
export interface LockProof {
  readonly environmentWorkflowId: string;
  readonly requestId: string;
  readonly token: LockToken;
}

/** Throws a non-retryable `LockLost` when `proof` is not the environment's present holder. */
export type AssertHolder = (proof: LockProof) => Promise<void>;
