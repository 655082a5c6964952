import { alarmsOf } from './deployment-alarms.ts';
import { nowIso } from './context.ts';
import type { EcsContext } from './context.ts';
import { hooksAt, settleAll, settleHook } from './hooks.ts';
import type { DeploymentRecord, ServiceDeploymentRecord, ServiceRecord } from './records.ts';
import { changeRollout, currentRollout, requestRollback, revertTo } from './rollout.ts';
import { say } from './service-events.ts';
import type { StageName } from './strategy.ts';
import { setTraffic } from './traffic.ts';
import type { Action } from './view.ts';

type ActionOf<Kind extends Action['kind']> = Extract<Action, { kind: Kind }>;

const THRESHOLD_EXCEEDED = 'because the circuit breaker threshold was exceeded.';

export function enterStage(
  ecs: EcsContext,
  service: ServiceRecord,
  { stage: name, step }: ActionOf<'enterStage'>,
): ServiceRecord {
  const rollout = currentRollout(ecs, service);
  if (!rollout) return service;
  const { step: _before, ...rest } = rollout;
  const stage = name as StageName;
  const hooks = rollout.rollback ? rollout.hooks : hooksAt(ecs, rollout.deploymentConfiguration, stage);
  const entered = { ...rest, stage, stageSince: nowIso(ecs), hooks, ...(step === undefined ? {} : { step }) };
  changeRollout(ecs, entered, {});
  return service;
}

/** The rules first: when the sandbox dies in between, it only does so again. */
export function shiftTraffic(
  ecs: EcsContext,
  service: ServiceRecord,
  { weights }: ActionOf<'shiftTraffic'>,
): ServiceRecord {
  const rollout = currentRollout(ecs, service);
  if (!rollout) return service;
  setTraffic(ecs, rollout, weights);
  return onRollout(ecs, service, { weights });
}

export function timeOutHook(
  ecs: EcsContext,
  service: ServiceRecord,
  { hookId }: ActionOf<'timeOutHook'>,
): ServiceRecord {
  const rollout = currentRollout(ecs, service);
  const hook = rollout?.hooks.find((each) => each.hookId === hookId);
  if (!rollout || !hook) return service;
  const changed = changeRollout(ecs, rollout, { hooks: settleHook(rollout.hooks, hookId, 'TIMED_OUT') });
  if (hook.timeoutAction === 'CONTINUE') return service;
  requestRollback(ecs, changed, `because the lifecycle hook ${hookId} timed out.`);
  return service;
}

/** Changes the service deployment in progress, where there is one. */
function onRollout(
  ecs: EcsContext,
  service: ServiceRecord,
  change: Partial<ServiceDeploymentRecord>,
): ServiceRecord {
  const rollout = currentRollout(ecs, service);
  if (rollout) changeRollout(ecs, rollout, change);
  return service;
}

/** Ends the service deployment. */
function endRollout(
  ecs: EcsContext,
  service: ServiceRecord,
  change: Partial<ServiceDeploymentRecord>,
): ServiceRecord {
  onRollout(ecs, service, { finishedAt: nowIso(ecs), ...change });
  const { currentServiceDeployment: _ended, ...rest } = service;
  return rest;
}

function changeDeployment(
  ecs: EcsContext,
  service: ServiceRecord,
  id: string,
  change: Partial<DeploymentRecord>,
): ServiceRecord {
  const updatedAt = nowIso(ecs);
  return {
    ...service,
    deployments: service.deployments.map((each) =>
      each.id === id ? { ...each, ...change, updatedAt } : each,
    ),
  };
}

export function complete(
  ecs: EcsContext,
  service: ServiceRecord,
  { deploymentId }: ActionOf<'complete'>,
): ServiceRecord {
  const rollout = currentRollout(ecs, service);
  const revisionArn = service.deployments.find(({ id }) => id === deploymentId)?.revisionArn ?? '';
  const done = changeDeployment(ecs, service, deploymentId, {
    rolloutState: 'COMPLETED',
    rolloutStateReason: `ECS deployment ${deploymentId} completed.`,
  });
  const said = say(ecs, done, `(deployment ${deploymentId}) deployment completed.`);
  const status = rollout?.rollback ? 'ROLLBACK_SUCCESSFUL' : 'SUCCESSFUL';
  return { ...endRollout(ecs, said, { status }), lastCompleted: { deploymentId, revisionArn } };
}

/** The circuit breaker has seen enough: the deployment has failed and is to be rolled back. */
export function tripBreaker(
  ecs: EcsContext,
  service: ServiceRecord,
  { deploymentId }: ActionOf<'tripBreaker'>,
): ServiceRecord {
  const rollout = currentRollout(ecs, service);
  if (rollout) requestRollback(ecs, { ...rollout, breakerTriggered: true }, THRESHOLD_EXCEEDED);
  return failDeployment(ecs, service, deploymentId, TASKS_FAILED);
}

/** What watches the deployment has found it to have failed: it is to be rolled back. */
export function fail(
  ecs: EcsContext,
  service: ServiceRecord,
  { cause, reason }: ActionOf<'fail'>,
): ServiceRecord {
  const rollout = currentRollout(ecs, service);
  if (!rollout) return service;
  const alarms = cause === 'alarm' ? { triggeredAlarms: alarmsOf(ecs, rollout) } : {};
  requestRollback(ecs, { ...rollout, ...alarms }, reason);
  return service;
}

/** @param reason of its rollout state @param why as the service's event ends */
function failDeployment(
  ecs: EcsContext,
  service: ServiceRecord,
  id: string,
  { reason, why }: FailureTexts,
): ServiceRecord {
  const failed = changeDeployment(ecs, service, id, { rolloutState: 'FAILED', rolloutStateReason: reason });
  return say(ecs, failed, `(deployment ${id}) deployment failed: ${why}`);
}

interface FailureTexts {
  readonly reason: string;
  readonly why: string;
}

const TASKS_FAILED: FailureTexts = {
  reason: 'ECS deployment circuit breaker: tasks failed to start.',
  why: 'tasks failed to start.',
};
const ALARM: FailureTexts = { reason: 'ECS deployment failed: alarm detected.', why: 'alarm detected.' };

export function rollBack(
  ecs: EcsContext,
  service: ServiceRecord,
  { from, to }: ActionOf<'rollBack'>,
): ServiceRecord {
  const rollout = currentRollout(ecs, service);
  const target = service.lastCompleted;
  if (!target || !rollout) return service;
  const { statusReason: reason = '', stage, step: _step, ...rest } = rollout;
  const cause = rollout.breakerTriggered ? 'ECS deployment circuit breaker' : 'ECS deployment stopped';
  const startedAt = nowIso(ecs);
  changeRollout(ecs, rest, {
    status: 'ROLLBACK_IN_PROGRESS',
    statusReason: reason,
    rollback: { reason, startedAt, serviceRevisionArn: target.revisionArn },
    hooks: settleAll(rollout.hooks),
    ...(stage === undefined ? {} : { interrupted: stage }),
  });
  const reverted = revertTo(ecs, service, target, `${cause}: rolling back to deploymentId ${to}.`);
  const failed = rollout.breakerTriggered
    ? reverted
    : changeDeployment(ecs, reverted, from, { rolloutState: 'FAILED', rolloutStateReason: reason });
  return say(ecs, failed, `rolling back to deployment ${to}.`);
}

/** The deployment can't go on and there is nothing to go back to: it starts no more tasks. */
export function giveUp(ecs: EcsContext, service: ServiceRecord, action: ActionOf<'giveUp'>): ServiceRecord {
  const rollout = currentRollout(ecs, service);
  const alreadyFailed = service.deployments.some(
    ({ id, rolloutState }) => id === action.deploymentId && rolloutState === 'FAILED',
  );
  const texts = textsOf(action, rollout);
  const failed = alreadyFailed ? service : failDeployment(ecs, service, action.deploymentId, texts);
  if (rollout) changeRollout(ecs, rollout, { hooks: settleAll(rollout.hooks) });
  const stoppedAt = nowIso(ecs);
  switch (action.because) {
    case 'noRollback':
      return endRollout(ecs, failed, {
        status: 'STOPPED',
        statusReason: 'Service deployment stopped because the circuit breaker threshold was exceeded.',
        stoppedAt,
        breakerTriggered: true,
      });
    case 'alarm':
      return endRollout(ecs, failed, {
        status: 'STOPPED',
        statusReason: 'Service deployment stopped because an alarm was triggered.',
        stoppedAt,
        triggeredAlarms: rollout ? alarmsOf(ecs, rollout) : [],
      });
    case 'noCandidate':
      return endRollout(ecs, failed, {
        status: 'ROLLBACK_FAILED',
        statusReason: 'No rollback candidate was found to run the rollback.',
        stoppedAt,
      });
    case 'rollbackFailed':
      return endRollout(ecs, failed, {
        status: 'ROLLBACK_FAILED',
        statusReason: `The rollback failed: tasks failed to start.${rollout?.statusReason === undefined ? '' : ` It began so: ${rollout.statusReason}`}`,
        stoppedAt,
      });
  }
}

function textsOf(
  { because }: ActionOf<'giveUp'>,
  rollout: ServiceDeploymentRecord | undefined,
): FailureTexts {
  if (because === 'alarm') return ALARM;
  const { statusReason: reason } = rollout ?? {};
  if (because !== 'noCandidate' || reason === undefined) return TASKS_FAILED;
  return { reason, why: 'no rollback candidate was found.' };
}
