/** How a run ends when its release is not live and verified: the type of the ApplicationFailure. */
export const FAILED_OUTCOMES = [
  'RolledBack',
  'RollbackIncomplete',
  'Rejected',
  'Expired',
  'Aborted',
  'Superseded',
  'PreflightFailed',
  'ReleaseNotBuilt',
  'InvalidInput',
  'UnknownWorkflowType',
] as const;
export type FailedOutcome = (typeof FAILED_OUTCOMES)[number];
export type Outcome = 'Completed' | FailedOutcome;
