import type { Timer } from '../clock.ts';
import type { TaskEvent } from '../tasks/types.ts';
import { carryOut } from './actions.ts';
import { nowIso } from './context.ts';
import type { EcsContext } from './context.ts';
import { decide } from './decide.ts';
import { afterFailure, afterSuccess } from './failures.ts';
import { observe } from './observe.ts';
import type { ServiceRecord, TaskRecord } from './records.ts';
import { changeRollout, currentRollout } from './rollout.ts';
import { say } from './service-events.ts';
import { strategyOf } from './strategy.ts';
import type { Strategy } from './strategy.ts';
import { recordEvent } from './task-events.ts';
import { specOf } from './task-spec.ts';
import { targetsOf } from './tasks.ts';

/** Keeps every service at what its record says. */
export interface Scheduler {
  /** Looks at the service and does what is to be done; call it after any change of its record. */
  look(serviceArn: string): void;
  /** Takes over the tasks that are on record and looks at all services. */
  recover(): void;
  close(): void;
}

/** More rounds than this without waiting for anything would be an endless loop: better to fail. */
const MOST_ROUNDS = 1000;

/** A timer can't wait for weeks: after an hour it is worth another look. */
const LONGEST_WAIT_MS = 60 * 60 * 1000;

export function createScheduler(ecs: EcsContext): Scheduler {
  const wakeUps = new Map<string, Timer>();
  const asked = new Set<string>();
  let closed = false;

  /** Once for all that is asked in this turn; never within a look, which acts on things that ask for one. */
  const look = (serviceArn: string): void => {
    if (asked.has(serviceArn)) return;
    asked.add(serviceArn);
    setImmediate(() => {
      asked.delete(serviceArn);
      lookNow(serviceArn);
    });
  };

  const lookNow = (serviceArn: string): void => {
    if (closed) return;
    wakeUps.get(serviceArn)?.cancel();
    const until = settle(ecs, serviceArn);
    if (until === undefined) return void wakeUps.delete(serviceArn);
    const wait = Math.min(Math.max(0, until - ecs.clock.now()), LONGEST_WAIT_MS) * ecs.clock.speed;
    wakeUps.set(
      serviceArn,
      ecs.clock.after(wait, () => look(serviceArn)),
    );
  };

  ecs.runner.onEvent((taskArn, event) => {
    const task = ecs.tables.tasks.get(taskArn);
    if (task) handle(ecs, task, event);
    if (task?.service) look(task.service.arn);
  });
  ecs.targets.onHealthChange(({ targetGroupArn }) => {
    for (const { serviceArn, loadBalancers, status } of ecs.tables.services.values()) {
      const uses = loadBalancers.some(({ targetGroupArn: own, advancedConfiguration: advanced }) =>
        [own, advanced?.alternateTargetGroupArn].includes(targetGroupArn),
      );
      if (uses && status !== 'INACTIVE') look(serviceArn);
    }
  });

  return {
    look,
    recover() {
      const tasks = ecs.tables.tasks.values().filter(({ lastStatus }) => lastStatus !== 'STOPPED');
      ecs.runner.recover(tasks.map((task) => specOf(ecs, task)));
      for (const { taskArn, desiredStatus, stopCode, stoppedReason } of tasks) {
        if (desiredStatus !== 'STOPPED') continue;
        ecs.runner.stop(taskArn, {
          code: stopCode ?? 'UserInitiated',
          reason: stoppedReason ?? 'Task stopped',
        });
      }
      for (const { serviceArn } of ecs.tables.services.values()) look(serviceArn);
    },
    close() {
      closed = true;
      for (const timer of wakeUps.values()) timer.cancel();
    },
  };
}

/** Decides and acts until there is nothing left to do. @returns when to look again by the clock alone */
function settle(ecs: EcsContext, serviceArn: string): number | undefined {
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const service = ecs.tables.services.get(serviceArn);
    if (!service || service.status === 'INACTIVE') return undefined;
    begin(ecs, service);
    const { view, succeeded, until } = observe(ecs, service);
    for (const task of succeeded) noteSuccess(ecs, task);
    if (succeeded.length > 0) continue;
    const actions = decide(view, wayOf(ecs, service));
    const waits = actions.flatMap((action) => (action.kind === 'lookAgain' ? action.at : []));
    if (actions.length === waits.length) return earliest([...waits, ...(until === undefined ? [] : [until])]);
    let changed = service;
    for (const action of actions) changed = carryOut(ecs, changed, action);
    ecs.tables.services.set(serviceArn, changed);
  }
  throw new Error(`The scheduler finds no end with ${serviceArn}`);
}

function begin(ecs: EcsContext, service: ServiceRecord): void {
  const rollout = currentRollout(ecs, service);
  if (rollout?.status !== 'PENDING') return;
  changeRollout(ecs, rollout, { status: 'IN_PROGRESS', startedAt: nowIso(ecs) });
}

function wayOf(ecs: EcsContext, service: ServiceRecord): Strategy {
  const rollout = currentRollout(ecs, service);
  return strategyOf(rollout?.deploymentConfiguration ?? service.deploymentConfiguration, {
    speed: ecs.clock.speed,
    rollingBack: rollout?.rollback !== undefined,
    sourced: rollout?.sourceDeploymentId !== undefined,
    reconciles: (rollout?.sourceRevisionArns.length ?? 0) > 1,
  });
}

function earliest(times: readonly number[]): number | undefined {
  return times.length === 0 ? undefined : Math.min(...times);
}

/** A task's event: on its record, in its target groups, and in its deployment's count of failures. */
function handle(ecs: EcsContext, task: TaskRecord, event: TaskEvent): void {
  const changed = recordEvent(ecs, task, event);
  if (!changed.service) return;
  if (event.kind === 'running') register(ecs, changed);
  if (event.kind === 'stopping') deregister(ecs, changed);
  if (event.kind === 'stopped') noteEnd(ecs, changed);
}

function register(ecs: EcsContext, task: TaskRecord): void {
  if (task.desiredStatus === 'STOPPED') return;
  for (const { targetGroupArn, target } of targetsOf(ecs, task)) {
    const text = registered(ecs, targetGroupArn, target);
    onService(ecs, task, (service) => say(ecs, service, text));
  }
}

/** A group that is gone makes the task unfit to serve, not the scheduler fail. */
function registered(ecs: EcsContext, targetGroupArn: string, target: { id: string; port: number }): string {
  try {
    ecs.targets.register(targetGroupArn, target);
    return `registered 1 targets in (target-group ${targetGroupArn})`;
  } catch (error) {
    return `failed to register targets in (target-group ${targetGroupArn}) with (error ${(error as Error).message})`;
  }
}

/** Of a task that ended by itself; one that was asked to has been deregistered before. */
function deregister(ecs: EcsContext, task: TaskRecord): void {
  for (const { targetGroupArn, target } of targetsOf(ecs, task)) {
    void ecs.targets.deregister(targetGroupArn, target).catch(() => undefined);
  }
}

function noteSuccess(ecs: EcsContext, task: TaskRecord): void {
  ecs.tables.tasks.set(task.taskArn, { ...task, succeeded: true });
  onService(ecs, task, (service) => afterSuccess(service, task));
}

function noteEnd(ecs: EcsContext, task: TaskRecord): void {
  onService(ecs, task, (service) => {
    const { service: counted, failureCount, says } = afterFailure(service, task, ecs.clock);
    const rollout = currentRollout(ecs, service);
    const primary = service.deployments.find(({ status }) => status === 'PRIMARY');
    const counts = task.service?.deploymentId === primary?.id;
    if (rollout && counts && failureCount !== undefined) changeRollout(ecs, rollout, { failureCount });
    return says.reduce((each, text) => say(ecs, each, text), counted);
  });
}

function onService(
  ecs: EcsContext,
  task: TaskRecord,
  change: (service: ServiceRecord) => ServiceRecord,
): void {
  const service = task.service && ecs.tables.services.get(task.service.arn);
  if (service) ecs.tables.services.set(service.serviceArn, change(service));
}
