/** What a failed `applyTerraform` left behind, as far as its failure tells. */
import { isObject } from '../../domain/is-object.ts';
import { ActivityFailure, CancelledFailure, TimeoutFailure } from '@temporalio/workflow';
import type { UnfinishedApply } from '../../activities/terraform/types.ts';
import type { ChangeSet } from '../../domain/terraform/change-set.ts';
import { isReplacement } from '../../domain/terraform/planned.ts';
import { failureDetails } from '../failures.ts';

/** What the server says of an activity that is stopped while no worker has it: before any attempt, or between two. */
const HAD_BY_NOBODY = 'ACTIVITY_ID_NOT_STARTED';

export interface BegunApply {
  /** False when it is certain that no attempt began an apply. */
  readonly begun: boolean;
  /** Nobody has seen the end of this one. */
  readonly unfinished?: UnfinishedApply;
}

/** @param approved what was to be applied */
export function begunApply(error: unknown, approved: ChangeSet): BegunApply {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  // A timeout's own cause is the failure of an attempt before: it says nothing of the one that was lost.
  if (cause instanceof TimeoutFailure) return lastHeard(cause.lastHeartbeatDetails);
  if (cause instanceof CancelledFailure && cause.details[0] === HAD_BY_NOBODY)
    return { begun: true, unfinished: perhaps(approved) };
  const details = failureDetails(cause) ?? {};
  if (details['started'] === false) return { begun: false };
  return { begun: true, ...unfinishedIn(details['unfinished']) };
}

/** An apply is begun only once the server has taken note of it, in a heartbeat. */
function lastHeard(beat: unknown): BegunApply {
  switch (isObject(beat) ? beat['apply'] : undefined) {
    case 'not begun':
      return { begun: false };
    case 'begun':
      return { begun: true, ...unfinishedIn(beat) };
    default:
      return { begun: true };
  }
}

function unfinishedIn(found: unknown): { unfinished?: UnfinishedApply } {
  if (!isObject(found)) return {};
  const { created, replaced, made, lock, host } = found as Partial<UnfinishedApply>;
  return {
    unfinished: {
      created: created ?? [],
      replaced: replaced ?? [],
      made: made ?? [],
      ...(lock && { lock }),
      ...(host !== undefined && { host }),
    },
  };
}

function perhaps({ changes }: ChangeSet): UnfinishedApply {
  const made = changes.filter(({ actions }) => actions.includes('create'));
  return {
    created: made.map(({ address }) => address),
    replaced: made.filter(({ actions }) => isReplacement(actions)).map(({ address }) => address),
    made: [],
    perhaps: true,
  };
}
