import type {
  DescribeServiceDeploymentsRequest,
  DescribeServiceRevisionsRequest,
  ListServiceDeploymentsRequest,
  StopServiceDeploymentRequest,
} from '@aws-sdk/client-ecs';
import type { Given } from '../protocol/given.ts';
import { pageOf } from '../protocol/page.ts';
import { AwsError } from '../protocol/service.ts';
import { badToken, PAGE } from './clusters.ts';
import { invalid } from './context.ts';
import type { EcsContext } from './context.ts';
import type { ServiceDeploymentRecord, ServiceRecord, TaskRecord } from './records.ts';
import { shownAlarms } from './deployment-alarms.ts';
import { hasEnded, requestRollback } from './rollout.ts';
import type { Scheduler } from './scheduler.ts';
import { findService } from './services.ts';
import { shiftsTraffic } from './strategy.ts';
import { managedTraffic } from './traffic.ts';

const MOST_ARNS = 20;

export function listServiceDeployments(ecs: EcsContext) {
  return (input: Given<ListServiceDeploymentsRequest, 'service'>): unknown => {
    const { serviceArn } = findService(ecs, input.cluster, input.service);
    const { status = [], createdAt = {} } = input;
    const found = ecs.tables.serviceDeployments
      .values()
      .filter(
        (each) =>
          each.serviceArn === serviceArn &&
          (status.length === 0 || status.includes(each.status)) &&
          (!createdAt.before || each.createdAt < createdAt.before.toISOString()) &&
          (!createdAt.after || each.createdAt > createdAt.after.toISOString()),
      )
      .toReversed();
    const size = Math.min(input.maxResults ?? PAGE, PAGE);
    const { items, next } = pageOf(found, size, input.nextToken, badToken);
    return {
      serviceDeployments: items.map((each) => ({
        ...each,
        targetServiceRevisionArn: each.targetRevisionArn,
      })),
      nextToken: next,
    };
  };
}

export function describeServiceDeployments(ecs: EcsContext) {
  return ({
    serviceDeploymentArns: arns,
  }: Given<DescribeServiceDeploymentsRequest, 'serviceDeploymentArns'>): unknown => {
    checkCount(arns);
    const asked = arns.map((each) => ({ arn: each, record: ecs.tables.serviceDeployments.get(each) }));
    return {
      serviceDeployments: asked.flatMap(({ record }) => (record ? [shown(ecs, record)] : [])),
      failures: asked.flatMap((each) => (each.record ? [] : [{ arn: each.arn, reason: 'MISSING' }])),
    };
  };
}

export function describeServiceRevisions(ecs: EcsContext) {
  return ({
    serviceRevisionArns: arns,
  }: Given<DescribeServiceRevisionsRequest, 'serviceRevisionArns'>): unknown => {
    checkCount(arns);
    const asked = arns.map((each) => ({ arn: each, record: ecs.tables.revisions.get(each) }));
    return {
      serviceRevisions: asked.flatMap(({ record }) => record ?? []),
      failures: asked.flatMap((each) => (each.record ? [] : [{ arn: each.arn, reason: 'MISSING' }])),
    };
  };
}

function checkCount(arns: readonly string[]): void {
  if (arns.length === 0) throw invalid('At least one ARN must be specified.');
  if (arns.length > MOST_ARNS) throw invalid(`At most ${MOST_ARNS} ARNs can be specified.`);
}

/**
 * Asks for the rollback of a deployment in progress; the scheduler carries it out. One that is on its way back
 * already goes on with that: see "Stopping Amazon ECS service deployments".
 */
export function stopServiceDeployment(ecs: EcsContext, scheduler: Scheduler) {
  return (input: Given<StopServiceDeploymentRequest, 'serviceDeploymentArn'>): unknown => {
    const { serviceDeploymentArn, stopType = 'ROLLBACK' } = input;
    if (stopType !== 'ROLLBACK') throw invalid(`The stop type ${stopType} is not supported: use ROLLBACK.`);
    const rollout = ecs.tables.serviceDeployments.get(serviceDeploymentArn);
    if (!rollout) throw new AwsError('ServiceDeploymentNotFoundException', 'Service deployment not found.');
    if (hasEnded(rollout)) throw conflict(rollout);
    if (rollout.status === 'PENDING' || rollout.status === 'IN_PROGRESS') {
      requestRollback(ecs, rollout, 'because a user asked for it with StopServiceDeployment.');
      scheduler.look(rollout.serviceArn);
    }
    return { serviceDeploymentArn };
  };
}

function conflict(rollout: ServiceDeploymentRecord): AwsError {
  return new AwsError(
    'ConflictException',
    `The service deployment can't be stopped: its status is ${rollout.status}.`,
    { fields: { resourceIds: [rollout.serviceDeploymentArn] } },
  );
}

/** Stages in which no task of the target revision is asked for yet. */
const BEFORE_SCALE_UP = [undefined, 'RECONCILE_SERVICE', 'PRE_SCALE_UP'];

function shown(ecs: EcsContext, record: ServiceDeploymentRecord): unknown {
  const service = ecs.tables.services.get(record.serviceArn);
  const tasks = ecs.tables.tasks.values().filter((task) => task.service?.arn === record.serviceArn);
  const shifts = shiftsTraffic(record.deploymentConfiguration);
  const early = shifts && BEFORE_SCALE_UP.some((stage) => stage === record.stage);
  const summaryOf = (arn: string): unknown => ({
    ...summary(service, arn, tasks),
    ...(early && arn === record.targetRevisionArn ? { requestedTaskCount: 0 } : {}),
    ...(shifts ? weightsOf(ecs, record, arn) : {}),
  });
  return {
    ...record,
    // ECS has stages only for the strategies that shift traffic.
    lifecycleStage: shifts ? record.stage : undefined,
    lifecycleHookDetails: record.hooks,
    sourceServiceRevisions: record.sourceRevisionArns.map(summaryOf),
    targetServiceRevision: summaryOf(record.targetRevisionArn),
    alarms: shownAlarms(record),
    deploymentCircuitBreaker: {
      status: breakerStatus(record),
      failureCount: record.failureCount,
      threshold: record.threshold,
    },
  };
}

/** What of the traffic ECS has asked its load balancers to send to the revision. */
function weightsOf(ecs: EcsContext, record: ServiceDeploymentRecord, revisionArn: string): object {
  const { production, test } = managedTraffic(ecs, record);
  const of = (percent: number): number => {
    if (revisionArn === record.targetRevisionArn) return percent;
    return revisionArn === record.servingRevisionArn ? 100 - percent : 0;
  };
  return {
    requestedProductionTrafficWeight: production ? of(record.weights.production) : undefined,
    requestedTestTrafficWeight: test ? of(record.weights.test) : undefined,
  };
}

function summary(
  service: ServiceRecord | undefined,
  revisionArn: string,
  tasks: readonly TaskRecord[],
): object {
  const own = tasks.filter((task) => task.service?.revisionArn === revisionArn);
  const primary = service?.deployments.find(({ status }) => status === 'PRIMARY');
  const wanted = own.filter(({ desiredStatus }) => desiredStatus === 'RUNNING').length;
  return {
    arn: revisionArn,
    requestedTaskCount: primary?.revisionArn === revisionArn ? service?.desiredCount : wanted,
    runningTaskCount: own.filter(({ lastStatus }) => lastStatus === 'RUNNING').length,
    pendingTaskCount: own.filter(({ lastStatus }) => /^(PROVISIONING|PENDING|ACTIVATING)$/.test(lastStatus))
      .length,
  };
}

function breakerStatus(record: ServiceDeploymentRecord): string {
  const { deploymentCircuitBreaker: breaker } = record.deploymentConfiguration;
  if (breaker?.enable !== true || shiftsTraffic(record.deploymentConfiguration)) return 'DISABLED';
  if (record.breakerTriggered) return 'TRIGGERED';
  return hasEnded(record) ? 'MONITORING_COMPLETE' : 'MONITORING';
}
