import { ApplicationFailure } from '@temporalio/common';
import type { ChangeSet } from '../../../domain/terraform/change-set.ts';
import type { Target } from '../../../domain/policy.ts';
import type { Check } from '../../../domain/verdict.ts';
import { GUARDS } from '../../../domain/terraform/guards.ts';
import type { Diagnostic } from './diagnostics.ts';
import { diagnose, diagnosePassing } from './diagnosis.ts';
import type { Diagnosis } from './diagnosis.ts';
import type { DestroyRefusedDetail } from '../types.ts';

const LONGEST_DETAIL = 600;
/** A failure's details are kept in the history. */
const MOST_DESTROYS = 200;
/** The shell's exit code for a command that it can't find. */
const NOT_FOUND = 127;
const MISSING: Diagnosis = {
  reason: 'TerraformMissing',
  transient: false,
  remedy: 'Install terraform or tofu on the workers, on their PATH.',
};

/** What terraform was doing when it failed. */
export type Phase = 'init' | 'validate' | 'plan' | 'show' | 'apply' | 'output' | 'state' | 'force-unlock';

export interface FailedCommand {
  readonly target: Target;
  readonly phase: Phase;
  readonly exitCode: number | undefined;
  /** Redacted. */
  readonly errors: readonly Diagnostic[];
  /** The output's last lines, redacted: for when there is no diagnostic. */
  readonly output: string;
  /** `errors` as terraform told them, where these are withheld in part: to be judged, never to be shown. */
  readonly heard?: readonly Diagnostic[];
}

/**
 * `TerraformFailed`: retryable where its reason is transient. An error that is not known is the configuration's, unless
 * terraform only reads by then, or said nothing.
 */
export function terraformFailed(failed: FailedCommand): ApplicationFailure {
  const { target, phase, exitCode, errors, output } = failed;
  const known = exitCode === NOT_FOUND ? MISSING : meaningOf(failed);
  const why =
    errors.length > 0 ? errors.map(sentence).join(' ') : output || `exit code ${exitCode ?? 'unknown'}`;
  const remedy = known?.remedy ?? 'Correct what it names, then run the deployment again.';
  const details = {
    reason: known?.reason ?? 'Unknown',
    phase,
    environment: target.environment,
    exitCode,
    errors,
  };
  return ApplicationFailure.create({
    type: 'TerraformFailed',
    message: `terraform ${phase} failed in ${target.environment}: ${why} ${remedy}`,
    nonRetryable: !(known?.transient ?? mayPass(failed)),
    details: [details],
  });
}

/** In an apply a connection that broke may have cut a change: that is not for a retry. */
function meaningOf({ phase, errors, heard = errors }: FailedCommand): Diagnosis | undefined {
  const known = diagnose(heard);
  if (known?.transient || phase === 'apply') return known;
  return diagnosePassing(heard) ?? known;
}

function mayPass({ phase, errors }: FailedCommand): boolean {
  switch (phase) {
    case 'apply':
      return false;
    case 'init':
    case 'validate':
    case 'plan':
      return errors.length === 0;
    case 'show':
    case 'output':
    case 'state':
    case 'force-unlock':
      return true;
  }
}

/** A configuration whose state would be lost with its checkout. */
export function stateInCheckout(target: Target, found: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(
    `Terraform's state of ${target.environment} would be lost: ${found}. Declare a backend in the configuration; for the local one give environments.${target.environment}.terraform.backend.path in slipway.yaml.`,
    'TerraformFailed',
    { reason: 'StateInCheckout', environment: target.environment, found },
  );
}

export function planUnusable(target: Target, reason: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(
    `The Terraform plan for ${target.environment} can't be judged, so nothing is applied: ${reason}.`,
    'TerraformFailed',
    { reason: 'PlanUnusable', environment: target.environment, found: reason },
  );
}

export function changeSetDiffers(
  target: Target,
  approved: ChangeSet,
  planned: ChangeSet,
  differences: readonly string[],
): ApplicationFailure {
  const shown = differences.slice(0, 10).join('; ');
  const more = differences.length > 10 ? `; and ${differences.length - 10} more` : '';
  return ApplicationFailure.nonRetryable(
    `Terraform's plan for ${target.environment} is not the approved one, so nothing was applied: ${shown}${more}. Run the deployment again to approve what is planned now.`,
    'ChangeSetDiffers',
    {
      environment: target.environment,
      approved: approved.digest,
      planned: planned.digest,
      differences: differences.slice(0, 50),
    },
  );
}

/**
 * `DestroyRefused` when something would be taken away, else `PlanRefused`.
 * @param destroys addresses of all that would go without consent
 */
export function planRefused(
  target: Target,
  refusals: readonly Check[],
  destroys: readonly string[],
): ApplicationFailure {
  const { environment } = target;
  const message = `Nothing was applied in ${environment}. ${refusals.map(({ detail }) => detail).join(' ')}`;
  if (!refusals.some(({ name }) => name === GUARDS.destroy))
    return ApplicationFailure.nonRetryable(message, 'PlanRefused', { environment, refusals });
  const named = destroys.length <= MOST_DESTROYS ? destroys : [];
  const detail: DestroyRefusedDetail = { environment, refusals, destroys: named };
  return ApplicationFailure.nonRetryable(message, 'DestroyRefused', detail);
}

/** The file that was to be applied is not the one that was judged. */
export function planTampered({ environment }: Target): ApplicationFailure {
  return ApplicationFailure.nonRetryable(
    `Nothing was applied in ${environment}: the plan's file was changed after it was judged. Look for who else writes to the worker's data directory, then run the deployment again.`,
    'PlanRefused',
    { environment, reason: 'PlanTampered', refusals: [] },
  );
}

/** An error for people, shortened. */
export function sentence({ summary, detail }: Diagnostic): string {
  const text = [summary, detail.replaceAll(/\s+/g, ' ')].filter(Boolean).join(': ');
  const short = text.length > LONGEST_DETAIL ? `${text.slice(0, LONGEST_DETAIL)}...` : text;
  return /[.!?]$/.test(short) ? short : `${short}.`;
}
