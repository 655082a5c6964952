import type { DeploymentConfiguration, DeploymentLifecycleHook } from '@aws-sdk/client-ecs';
import { trueMs } from './bake-time.ts';
import type { EcsContext } from './context.ts';
import type { HookRecord } from './records.ts';
import type { StageName } from './strategy.ts';

/** See "Pause hooks for Amazon ECS service deployments": 24 hours, then the rollback. */
const DEFAULT_MINUTES = 1440;
const ID_BYTES = 32;

/** The executions that entering the stage begins: one for each of the configuration's hooks at it. */
export function hooksAt(
  ecs: EcsContext,
  configuration: DeploymentConfiguration,
  stage: StageName,
): HookRecord[] {
  const { lifecycleHooks = [] } = configuration;
  return lifecycleHooks
    .filter(({ lifecycleStages = [] }) => lifecycleStages.some((each) => each === stage))
    .map((hook) => executionOf(ecs, hook));
}

function executionOf(
  ecs: EcsContext,
  { timeoutConfiguration: timeout }: DeploymentLifecycleHook,
): HookRecord {
  const { timeoutInMinutes = DEFAULT_MINUTES, action = 'ROLLBACK' } = timeout ?? {};
  const id = Buffer.from(crypto.getRandomValues(new Uint8Array(ID_BYTES))).toString('base64url');
  return {
    hookId: `ecs-pause-${id}`,
    targetType: 'PAUSE',
    status: 'AWAITING_ACTION',
    expiresAt: new Date(ecs.clock.now() + trueMs(timeoutInMinutes, ecs.clock)).toISOString(),
    timeoutAction: action,
  };
}

/** The hooks, with that one ended. */
export function settleHook(
  hooks: readonly HookRecord[],
  hookId: string,
  status: HookRecord['status'],
): HookRecord[] {
  return hooks.map((hook) => (hook.hookId === hookId ? { ...hook, status } : hook));
}

/** "If any hook triggers a rollback, the entire deployment rolls back regardless of the status of other hooks". */
export function settleAll(hooks: readonly HookRecord[]): HookRecord[] {
  return hooks.map((hook) => (hook.status === 'AWAITING_ACTION' ? { ...hook, status: 'FAILED' } : hook));
}
