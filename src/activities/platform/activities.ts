import { ApplicationFailure } from '@temporalio/common';
import { loadPlatform } from '../../platform/load.ts';
import { environmentPolicy, pipelinePolicy, UnknownEnvironment } from '../../platform/policy.ts';
import { describeProblems, InvalidPlatformFile } from '../../platform/problems.ts';
import type { PlatformActivities } from './types.ts';

/** Problems in a run's failure, which goes into its history; the worker's own check tells all. */
const MOST = 25;

export interface PlatformActivityDependencies {
  /** Path of `slipway.yaml`. It is read anew each time, so that an edited policy counts for the runs that start after it. */
  readonly platformFile: string;
}

/** An invalid file, and an unknown environment, are a non-retryable `InvalidInput`. */
export function createPlatformActivities({ platformFile }: PlatformActivityDependencies): PlatformActivities {
  return {
    async loadEnvironmentPolicy({ environment }) {
      return asInvalidInput(() => environmentPolicy(loadPlatform(platformFile), environment));
    },
    async loadPipelinePolicy({ through }) {
      return asInvalidInput(() => pipelinePolicy(loadPlatform(platformFile), through));
    },
  };
}

function asInvalidInput<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof InvalidPlatformFile) {
      const { file, problems } = error;
      throw ApplicationFailure.nonRetryable(describeProblems(file, problems, MOST), 'InvalidInput', {
        file,
        problems: problems.slice(0, MOST),
      });
    }
    if (error instanceof UnknownEnvironment)
      throw ApplicationFailure.nonRetryable(error.message, 'InvalidInput');
    throw error;
  }
}
