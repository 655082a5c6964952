import { sealedCreations } from './seal.ts';
import type { ChangeSet } from './change-set.ts';

/**
 * Whether a change set created what is at an address, listed or not; to be asked for many addresses. Of more unlisted
 * changes than have seals it is not known, and so not said.
 */
export function creationsOf(changeSet: ChangeSet): (address: string) => boolean {
  const creating = changeSet.changes.filter(({ actions }) => actions.includes('create'));
  const listed = new Set(creating.map(({ address }) => address));
  const unlisted = changeSet.unlisted ? sealedCreations(changeSet.unlisted) : () => false;
  return (address) => listed.has(address) || unlisted(address);
}
