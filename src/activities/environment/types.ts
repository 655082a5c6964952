import type { EnvironmentStatus, LockRequest } from '../../domain/ledger.ts';

export interface EnvironmentActivities {
  /** Starts the environment's workflow when it does not run, has it look for its holder, and reads its status. */
  inspectEnvironment(input: { platform: string; environment: string }): Promise<EnvironmentStatus>;
  /** The identity that started the run, as its history has it: a claim, not a proof. */
  findStarter(input: { workflowId: string; runId: string }): Promise<string>;
  /** Signals the request with start; sending it again changes nothing. */
  requestLock(input: { platform: string; environment: string; request: LockRequest }): Promise<void>;
  /** The environment's epoch as kept in SSM, raised by one: called once by a new `environment`. @throws non-retryable `WrongAccount` */
  raiseEpoch(input: { platform: string; environment: string }): Promise<{
    epoch: number;
    lastHolder?: { workflowId: string; firstExecutionRunId: string; requestId: string };
  }>;
  /** Keeps the present holder in SSM, or that there is none. @throws non-retryable `WrongAccount`, `EpochSuperseded` */
  recordHolder(input: {
    platform: string;
    environment: string;
    epoch: number;
    holder?: { workflowId: string; firstExecutionRunId: string; requestId: string };
  }): Promise<void>;
}
