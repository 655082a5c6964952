import { replaceTasks } from './replace.ts';
import type { Stage, Strategy } from './strategy.ts';
import { breakerThreshold, isLive, primaryIsWhole, primaryOf } from './view.ts';
import type { Action, DeploymentView, RolloutView, ServiceView } from './view.ts';

/**
 * The scheduler's mind: what to do next about a service, from what it is and what its tasks are doing. Pure: the
 * same view gives the same actions; nothing to do gives none, or when to look again.
 */
export function decide(view: ServiceView, strategy: Strategy): Action[] {
  if (view.draining) return drain(view);
  const primary = primaryOf(view);
  if (!primary) return [];
  const actions = view.rollout ? rollOut(view, view.rollout, primary, strategy) : replaceTasks(view);
  const waitsOnly = actions.every(({ kind }) => kind === 'lookAgain');
  return waitsOnly ? [...settle(view, primary), ...actions] : actions;
}

/** A deleted service's tasks are stopped; without any left it is inactive. */
function drain(view: ServiceView): Action[] {
  if (view.tasks.length === 0) return [{ kind: 'inactivate' }];
  return view.tasks.filter(isLive).map(({ taskArn }) => ({ kind: 'stopTask', taskArn, why: 'scaling' }));
}

function rollOut(
  view: ServiceView,
  rollout: RolloutView,
  primary: DeploymentView,
  strategy: Strategy,
): Action[] {
  const { stages } = strategy;
  const at = stages.findIndex(({ name, step }) => name === rollout.stage && step === rollout.step);
  const stage = stages[at];
  const failure = failed(view, rollout, primary, stage);
  if (failure.length > 0) return failure;
  if (!stage) return stages.slice(0, 1).map(entry);
  const pauses = waiting(rollout, view.now);
  if (!stage.isDone(view)) return [...pauses, ...stage.work(view), ...deadline(rollout, stage)];
  if (pauses.length > 0) return [...pauses, ...stage.work(view)];
  const next = stages[at + 1];
  return next ? [entry(next)] : [{ kind: 'complete', deploymentId: primary.id }];
}

function entry({ name, step }: Stage): Action {
  return { kind: 'enterStage', stage: name, ...(step === undefined ? {} : { step }) };
}

/** The stage's pauses that nobody has answered yet: until all are, the deployment stays in the stage. */
function waiting({ hooks }: RolloutView, now: number): Action[] {
  return hooks
    .filter(({ awaiting }) => awaiting)
    .map(({ hookId, expiresAt }) =>
      now >= expiresAt ? { kind: 'timeOutHook', hookId } : { kind: 'lookAgain', at: expiresAt },
    );
}

function deadline({ since }: RolloutView, { limitMs }: Stage): Action[] {
  return limitMs === undefined ? [] : [{ kind: 'lookAgain', at: since + limitMs }];
}

/** What ends a rollout early, and what becomes of one that failed or is to be taken back. */
function failed(
  view: ServiceView,
  rollout: RolloutView,
  primary: DeploymentView,
  stage: Stage | undefined,
): Action[] {
  const tripped = view.breaker.enable && primary.failedTasks >= breakerThreshold(view.desiredCount);
  const late = isLate(view, rollout, stage);
  if (rollout.rollingBack) {
    return tripped || late ? [{ kind: 'giveUp', deploymentId: primary.id, because: 'rollbackFailed' }] : [];
  }
  if (rollout.rollbackRequested) {
    const to = view.rollbackTo;
    if (to === undefined) return [{ kind: 'giveUp', deploymentId: primary.id, because: 'noCandidate' }];
    return [{ kind: 'rollBack', from: primary.id, to }];
  }
  if (tripped) {
    if (view.breaker.rollback) return [{ kind: 'tripBreaker', deploymentId: primary.id }];
    return [{ kind: 'giveUp', deploymentId: primary.id, because: 'noRollback' }];
  }
  return watched(rollout, primary, late, stage);
}

/** The deployment's alarms, its load balancer's rules, and the clock. */
function watched(
  { alarms, networking }: RolloutView,
  primary: DeploymentView,
  late: boolean,
  stage: Stage | undefined,
): Action[] {
  if (alarms.triggered.length > 0) {
    if (!alarms.rollback) return [{ kind: 'giveUp', deploymentId: primary.id, because: 'alarm' }];
    const names = alarms.triggered.join(', ');
    return [{ kind: 'fail', cause: 'alarm', reason: `because an alarm was triggered: ${names}.` }];
  }
  if (networking !== undefined) return [{ kind: 'fail', cause: 'networking', reason: networking }];
  if (!late) return [];
  return [
    { kind: 'fail', cause: 'timeout', reason: `because the stage ${stage?.name} timed out after 24 hours.` },
  ];
}

function isLate(view: ServiceView, rollout: RolloutView, stage: Stage | undefined): boolean {
  if (stage?.limitMs === undefined || stage.isDone(view)) return false;
  return view.now >= rollout.since + stage.limitMs;
}

/** Without anything to do: replaced deployments without tasks go, and the service says when it is steady. */
function settle(view: ServiceView, primary: DeploymentView): Action[] {
  const empty = view.deployments.filter(
    ({ id, primary: isPrimary }) =>
      !isPrimary &&
      id !== view.rollout?.source &&
      !view.tasks.some(({ deploymentId }) => deploymentId === id),
  );
  if (empty.length > 0) return empty.map(({ id }) => ({ kind: 'dropDeployment', deploymentId: id }));
  const steady =
    primary.rolloutState === 'COMPLETED' && view.deployments.length === 1 && primaryIsWhole(view);
  return steady === view.steady ? [] : [{ kind: 'sayMarked', steady }];
}
