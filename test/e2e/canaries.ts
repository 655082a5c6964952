/** What shows from outside what became of a canary. */
import {
  DescribeServiceDeploymentsCommand,
  DescribeServicesCommand,
  ListServiceDeploymentsCommand,
  type ServiceDeployment,
} from '@aws-sdk/client-ecs';
import { expect } from '@jest/globals';
import type { WorkflowHandle } from '@temporalio/client';
import { Traffic } from '../../scripts/demo/traffic.ts';
import type { RunStatus } from '../../src/domain/status.ts';
import { eventuallyIn, servedVersion, type Stage } from './stage.ts';

/** Steady users of one address. */
export function users(url: string, perSecond = 10): Traffic {
  const traffic = new Traffic(url, perSecond);
  traffic.start();
  return traffic;
}

/** Stops them. None of their requests may have failed. */
export async function expectUnharmed(traffic: Traffic): Promise<void> {
  const { sent, failed, firstFailure } = await traffic.stop();
  expect({ failed, firstFailure }).toEqual({ failed: 0, firstFailure: undefined });
  expect(sent).toBeGreaterThan(50);
}

/** Waits until a run's status is so. @returns what `look` found */
export async function untilStatus<T>(
  run: WorkflowHandle,
  what: string,
  look: (status: RunStatus) => T | undefined | false,
): Promise<T> {
  return await eventuallyIn(run, what, async () => look(await run.query<RunStatus>('status')));
}

/** Waits until a run is at that step. */
export async function untilStep(run: WorkflowHandle, step: string): Promise<void> {
  await untilStatus(run, `is at '${step}'`, ({ steps }) =>
    steps.some(({ name, state }) => name === step && state === 'running'),
  );
}

/** A service's deployments, the oldest first. */
export async function deploymentsOf(
  { ecs }: Stage,
  environment: string,
  service: string,
): Promise<readonly ServiceDeployment[]> {
  const cluster = `writing-${environment}`;
  const listed = await ecs.send(new ListServiceDeploymentsCommand({ cluster, service }));
  const serviceDeploymentArns = (listed.serviceDeployments ?? []).map(
    ({ serviceDeploymentArn = '' }) => serviceDeploymentArn,
  );
  const { serviceDeployments = [] } = await ecs.send(
    new DescribeServiceDeploymentsCommand({ serviceDeploymentArns }),
  );
  return serviceDeployments.toSorted((a, b) => (a.createdAt?.getTime() ?? 0) - (b.createdAt?.getTime() ?? 0));
}

/** The newest one. */
export async function deploymentOf(
  stage: Stage,
  environment: string,
  service: string,
): Promise<ServiceDeployment | undefined> {
  return (await deploymentsOf(stage, environment, service)).at(-1);
}

/** Counts from now on how often anybody has ECS act on a pause in an environment: calls, each attempt one. */
export async function countReleases({ faults }: Stage, environment: string): Promise<() => Promise<number>> {
  const counter = await faults.add({
    fault: 'latency',
    milliseconds: 1,
    service: 'ecs',
    action: 'ContinueServiceDeployment',
    match: { serviceDeploymentArn: `*/writing-${environment}/*` },
  });
  return async () => (await counter.look()).matched;
}

/** The release serves with that many tasks and no others, the ledger says so, and the environment's lock is free. */
export async function expectLive(
  stage: Stage,
  environment: string,
  version: string,
  services: readonly string[],
  { tasks = 1, last = 'Completed' } = {},
): Promise<void> {
  expect(await servedVersion(stage.small.url(environment))).toBe(version);
  const found = await stage.ecs.send(
    new DescribeServicesCommand({ cluster: `writing-${environment}`, services: [...services] }),
  );
  expect(found.services).toMatchObject(
    services.map((serviceName) => ({
      serviceName,
      desiredCount: tasks,
      runningCount: tasks,
      pendingCount: 0,
    })),
  );
  const { holder, dirty, current, history, queue } = await stage.environment(environment);
  expect({ holder, dirty, queue }).toEqual({ queue: [] });
  expect(current?.manifest.version).toBe(version);
  expect(history[0]?.outcome).toBe(last);
}
