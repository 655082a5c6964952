import type { Outcome } from '../domain/outcome.ts';

/** Why a command itself did not do what it was asked; `domain/outcome.ts` has how a run may have ended. */
export type Trouble =
  | 'Unexpected'
  | 'NoServer'
  | 'NotFound'
  | 'AlreadyRunning'
  | 'NotCounted'
  | 'NoWorker'
  | 'NotEnded'
  | 'Drifted'
  | 'NotRecovered'
  | 'Lost'
  | 'Interrupted';

interface ExitCode {
  readonly code: number;
  /** When a command ends with it. */
  readonly meaning: string;
}

/** Every exit code of `slipway`, and the only place that has them. */
export const EXIT_CODES: Readonly<Record<Outcome | Trouble, ExitCode>> = {
  Completed: { code: 0, meaning: 'Done; of a run that was waited for: its release is live and verified.' },
  Unexpected: { code: 1, meaning: 'An error that no other code names; `doctor`: a check failed.' },
  InvalidInput: {
    code: 2,
    meaning: 'An argument, an option, a setting or `slipway.yaml` is not valid. Nothing was sent.',
  },
  NoServer: { code: 3, meaning: 'No Temporal server answers, or it refuses the request.' },
  NotFound: {
    code: 4,
    meaning: 'There is no such run, or none (or more than one) that the command could mean.',
  },
  AlreadyRunning: { code: 5, meaning: 'The same is under way already, by the run that is named.' },
  NotCounted: { code: 6, meaning: 'The run did not count what was said, for the reason that is told.' },
  NoWorker: { code: 7, meaning: 'No worker answers on the task queue.' },
  NotEnded: { code: 8, meaning: 'The run has not ended yet, so it has no report.' },
  NotRecovered: {
    code: 9,
    meaning: '`terraform`: the state is not put right, for the reason that is told. What was kept stays.',
  },
  RolledBack: { code: 10, meaning: 'The release was bad; every change was taken back.' },
  RollbackIncomplete: {
    code: 11,
    meaning: 'Not every change could be taken back: the environment is dirty.',
  },
  Rejected: { code: 12, meaning: 'A person rejected the release.' },
  Expired: { code: 13, meaning: 'The approvals did not come in time.' },
  Aborted: { code: 14, meaning: 'A person aborted the run, or cancelled it.' },
  Superseded: { code: 15, meaning: 'A newer release took its place.' },
  PreflightFailed: { code: 16, meaning: 'A check failed before anything was changed.' },
  ReleaseNotBuilt: { code: 17, meaning: 'The registry lacks images of the release.' },
  UnknownWorkflowType: { code: 18, meaning: 'The worker does not know this type of run.' },
  Lost: { code: 19, meaning: 'The run was terminated, timed out, or failed without a report.' },
  Drifted: { code: 20, meaning: '`drift`: something was changed outside of Terraform.' },
  Interrupted: { code: 130, meaning: 'Ctrl-C while waiting. The run goes on.' },
};

export function exitCodeOf(reason: Outcome | Trouble): number {
  return EXIT_CODES[reason].code;
}
