import { proxyActivities, type ActivityOptions } from '@temporalio/workflow';
import type { CanaryActivities } from '../activities/canary/types.ts';
import type { EcsActivities } from '../activities/ecs/types.ts';
import type { EnvironmentActivities } from '../activities/environment/types.ts';
import type { NotifyActivities } from '../activities/notify/types.ts';
import type { PlatformActivities } from '../activities/platform/types.ts';
import type { RegistryActivities } from '../activities/registry/types.ts';
import type { SettingsActivities } from '../activities/settings/types.ts';
import type { SourceActivities } from '../activities/source/types.ts';
import type { TerraformActivities } from '../activities/terraform/types.ts';
import type { TestActivities } from '../activities/tests/types.ts';
import type { VerificationActivities } from '../activities/verification/types.ts';

export type Activities = CanaryActivities &
  EcsActivities &
  EnvironmentActivities &
  NotifyActivities &
  PlatformActivities &
  RegistryActivities &
  SettingsActivities &
  SourceActivities &
  TerraformActivities &
  TestActivities &
  VerificationActivities;

/**
 * Timeouts and retries by kind of call; the only place that sets them.
 * Permanent errors are non-retryable failures of a named type, thrown by the activities.
 */
const KINDS = {
  /** Looks; changes nothing. About five minutes of attempts: waiting for a worker does not count. */
  read: {
    startToCloseTimeout: '1 minute',
    retry: { initialInterval: '1 second', maximumInterval: '20 seconds', maximumAttempts: 18 },
  },
  /** One short change. About a quarter of an hour of attempts. */
  write: {
    startToCloseTimeout: '1 minute',
    retry: { initialInterval: '1 second', maximumInterval: '30 seconds', maximumAttempts: 32 },
  },
  /** What `environment` must keep: tried until it works. */
  keep: {
    startToCloseTimeout: '1 minute',
    retry: { initialInterval: '1 second', maximumInterval: '1 minute' },
  },
  /** A process or a poll that heartbeats; a lost worker is noticed by the heartbeat. */
  process: {
    startToCloseTimeout: '2 hours',
    heartbeatTimeout: '20 seconds',
    retry: { initialInterval: '1 second', maximumInterval: '30 seconds', maximumAttempts: 20 },
  },
  /** A poll that only looks, as long as it is let: nothing waits for its end when it is no longer wanted. */
  watch: {
    startToCloseTimeout: '2 hours',
    heartbeatTimeout: '20 seconds',
    retry: { initialInterval: '1 second', maximumInterval: '30 seconds', maximumAttempts: 20 },
    cancellationType: 'TRY_CANCEL',
  },
  /** Takes a change back: tried for long, then a person is asked. */
  undo: {
    startToCloseTimeout: '2 hours',
    heartbeatTimeout: '20 seconds',
    retry: { initialInterval: '1 second', maximumInterval: '30 seconds', maximumAttempts: 60 },
  },
  /** Takes one short change back. */
  undoWrite: {
    startToCloseTimeout: '1 minute',
    retry: { initialInterval: '1 second', maximumInterval: '30 seconds', maximumAttempts: 60 },
  },
  /** Tells people; a deaf receiver never stops a deployment. */
  notify: {
    startToCloseTimeout: '20 seconds',
    scheduleToCloseTimeout: '2 minutes',
    retry: { initialInterval: '1 second', maximumInterval: '20 seconds' },
  },
} as const satisfies Record<string, ActivityOptions>;
type Kind = keyof typeof KINDS;

/** Seconds that an attempt may take beyond what it is told to take. */
const MARGIN = 600;

/**
 * The activities as calls of `kind`; `summary` is what the Temporal UI shows for the call.
 * @param seconds what the policy lets the call last, where it says so; otherwise two hours
 */
export function activities(kind: Kind, summary: string, seconds?: number): Activities {
  return proxyActivities<Activities>({
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
    ...KINDS[kind],
    ...(seconds !== undefined && { startToCloseTimeout: (seconds + MARGIN) * 1000 }),
    summary: summary.slice(0, 200),
  });
}
