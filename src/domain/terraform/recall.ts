import { isDestructive, isReplacement } from './planned.ts';
import type { ChangeSet } from './change-set.ts';

/**
 * What going back from a change set does not bring back: a line for each object that it deleted, replaced or forgot, and
 * for each action that it invoked. The configuration's objects are made anew, without what the old ones held.
 */
export function beyondRecall({ changes, unlisted, counts }: ChangeSet): string[] {
  const lines = changes.flatMap(({ address, actions }) => lost(address, actions) ?? []);
  const listed = changes.filter(({ actions }) => isDestructive(actions)).length;
  const more = unlisted ? counts.delete + counts.replace - listed : 0;
  return more > 0 ? [...lines, `${more} more objects were deleted, replaced or forgotten.`] : lines;
}

function lost(address: string, actions: readonly string[]): string | undefined {
  if (actions.includes('invoke')) return `${address} was invoked: what it did is not undone.`;
  if (actions.includes('forget')) {
    return isReplacement(actions)
      ? `${address} was replaced and the old object forgotten: it is still there, and Terraform no longer knows it.`
      : `${address} was forgotten: it is still there, Terraform no longer knows it, and going back makes another.`;
  }
  if (isReplacement(actions)) {
    return `${address} was replaced: what the old object held is gone, and going back does not bring it back.`;
  }
  if (!actions.includes('delete')) return undefined;
  // Nothing asks for it any more: it was left over by a replacement.
  if (/ \(deposed [^)]*\)$/.test(address)) return undefined;
  return `${address} was deleted: going back makes it anew, without what it held.`;
}
