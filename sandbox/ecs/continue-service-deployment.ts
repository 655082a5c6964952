import type { ContinueServiceDeploymentRequest } from '@aws-sdk/client-ecs';
import type { Given } from '../protocol/given.ts';
import { AwsError } from '../protocol/service.ts';
import { invalid } from './context.ts';
import type { EcsContext } from './context.ts';
import { settleHook } from './hooks.ts';
import { changeRollout, requestRollback } from './rollout.ts';
import type { Scheduler } from './scheduler.ts';

type Input = Given<ContinueServiceDeploymentRequest, 'serviceDeploymentArn' | 'hookId'>;

/** Answers a pause: the deployment goes on, or back. Each pause is answered once. */
export function continueServiceDeployment(ecs: EcsContext, scheduler: Scheduler) {
  return ({ serviceDeploymentArn, hookId, action = 'CONTINUE' }: Input): unknown => {
    const rollout = ecs.tables.serviceDeployments.get(serviceDeploymentArn);
    if (!rollout) throw new AwsError('ServiceDeploymentNotFoundException', 'Service deployment not found.');
    if (rollout.status !== 'IN_PROGRESS') {
      throw invalid(`The service deployment can't be continued: its status is ${rollout.status}.`);
    }
    const hook = rollout.hooks.find((each) => each.hookId === hookId);
    if (!hook) throw invalid(`The service deployment has no active lifecycle hook ${hookId}.`);
    const expired = ecs.clock.now() >= Date.parse(hook.expiresAt);
    if (hook.status !== 'AWAITING_ACTION' || expired) {
      const status = hook.status === 'AWAITING_ACTION' ? 'TIMED_OUT' : hook.status;
      throw invalid(`The lifecycle hook ${hookId} isn't awaiting an action: its status is ${status}.`);
    }
    if (action === 'CONTINUE') {
      changeRollout(ecs, rollout, { hooks: settleHook(rollout.hooks, hookId, 'SUCCEEDED') });
    } else {
      const hooks = settleHook(rollout.hooks, hookId, 'FAILED');
      requestRollback(
        ecs,
        { ...rollout, hooks },
        `because the lifecycle hook ${hookId} was answered with ROLLBACK.`,
      );
    }
    scheduler.look(rollout.serviceArn);
    return { serviceDeploymentArn };
  };
}
