import { ApplicationFailure } from '@temporalio/common';
import type { SourceRepository } from './repository.ts';
import type { SourceActivities } from './types.ts';

export function createSourceActivities({ source }: { source: SourceRepository }): SourceActivities {
  return {
    /** Looks in the mirror, and in the repository itself when the mirror has no such commit. */
    async findCommit({ commit }) {
      try {
        return { found: true, commit: await source.describe(commit) };
      } catch (error) {
        if (error instanceof ApplicationFailure && error.type === 'CommitNotFound') {
          return { found: false, detail: error.message };
        }
        throw error;
      }
    },
  };
}
