import type { EnvironmentPolicy, PipelinePolicy } from '../../domain/policy.ts';

export interface PlatformActivities {
  /** @throws non-retryable `InvalidInput` when the platform has no such environment, naming those it has */
  loadEnvironmentPolicy(input: { environment: string }): Promise<EnvironmentPolicy>;
  /** @throws non-retryable `InvalidInput` when `through` is not an environment of the platform */
  loadPipelinePolicy(input: { through?: string }): Promise<PipelinePolicy>;
}
