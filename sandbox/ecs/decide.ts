import { replaceTasks } from './replace.ts';
import { primaryIsWhole } from './strategy.ts';
import type { Strategy } from './strategy.ts';
import { breakerThreshold, isLive, primaryOf } from './view.ts';
import type { Action, DeploymentView, RolloutView, ServiceView } from './view.ts';

/**
 * The scheduler's mind: what to do next about a service, from what it is and what its tasks are doing. Pure: the
 * same view gives the same actions; nothing to do gives none.
 */
export function decide(view: ServiceView, strategy: Strategy): Action[] {
  if (view.draining) return drain(view);
  const primary = primaryOf(view);
  if (!primary) return [];
  const actions = view.rollout ? rollOut(view, view.rollout, primary, strategy) : replaceTasks(view);
  return actions.length > 0 ? actions : settle(view, primary);
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
  const failure = failed(view, rollout, primary);
  if (failure.length > 0) return failure;
  const at = strategy.stages.findIndex(({ name }) => name === rollout.stage);
  const stage = strategy.stages[Math.max(at, 0)] ?? strategy.stages[0];
  if (!stage.isDone(view)) return stage.work(view);
  const next = strategy.stages[Math.max(at, 0) + 1];
  return next ? [{ kind: 'enterStage', stage: next.name }] : [{ kind: 'complete', deploymentId: primary.id }];
}

/** The circuit breaker, and what becomes of a rollout that failed or is to be taken back. */
function failed(view: ServiceView, rollout: RolloutView, primary: DeploymentView): Action[] {
  const tripped = view.breaker.enable && primary.failedTasks >= breakerThreshold(view.desiredCount);
  if (rollout.rollingBack) {
    return tripped ? [{ kind: 'giveUp', deploymentId: primary.id, because: 'rollbackFailed' }] : [];
  }
  if (rollout.rollbackRequested) {
    const to = view.rollbackTo;
    if (to === undefined) return [{ kind: 'giveUp', deploymentId: primary.id, because: 'noCandidate' }];
    return [{ kind: 'rollBack', from: primary.id, to }];
  }
  if (!tripped) return [];
  if (view.breaker.rollback) return [{ kind: 'tripBreaker', deploymentId: primary.id }];
  return [{ kind: 'giveUp', deploymentId: primary.id, because: 'noRollback' }];
}

/** Without anything to do: replaced deployments without tasks go, and the service says when it is steady. */
function settle(view: ServiceView, primary: DeploymentView): Action[] {
  const empty = view.deployments.filter(
    ({ id, primary: isPrimary }) => !isPrimary && !view.tasks.some(({ deploymentId }) => deploymentId === id),
  );
  if (empty.length > 0) return empty.map(({ id }) => ({ kind: 'dropDeployment', deploymentId: id }));
  const steady =
    primary.rolloutState === 'COMPLETED' && view.deployments.length === 1 && primaryIsWhole(view);
  return steady === view.steady ? [] : [{ kind: 'sayMarked', steady }];
}
