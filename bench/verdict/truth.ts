import {
  DescribeServiceDeploymentsCommand,
  DescribeTasksCommand,
  ListServiceDeploymentsCommand,
  ListTasksCommand,
  type ECSClient,
  type ServiceDeployment,
  type Task,
} from '@aws-sdk/client-ecs';
import { CLUSTER } from './stage.ts';
import type { Outcome } from './watchers/watcher.ts';

/** What became of a service's release, by the sandbox's own record. */
export interface Truth {
  readonly service: string;
  readonly outcome: Outcome;
  /** When it was so, in milliseconds since the epoch: success when ECS finished, failure when it began. */
  readonly at: number;
  /** The service deployment's last status. */
  readonly status: string;
}

const ENDED: readonly string[] = ['SUCCESSFUL', 'STOPPED', 'ROLLBACK_SUCCESSFUL', 'ROLLBACK_FAILED'];

/** Reads the record beside the proxies: nobody's calls are these, and nothing that is measured is asked. */
export function recordOf(ecs: ECSClient) {
  async function latest(service: string): Promise<ServiceDeployment> {
    const { serviceDeployments: [newest] = [] } = await ecs.send(
      new ListServiceDeploymentsCommand({ cluster: CLUSTER, service }),
    );
    const serviceDeploymentArns = [newest?.serviceDeploymentArn ?? ''];
    const found = await ecs.send(new DescribeServiceDeploymentsCommand({ serviceDeploymentArns }));
    return found.serviceDeployments?.[0] ?? {};
  }

  /** When the first of the service's tasks died since then, undefined when none did. */
  async function firstDeath(service: string, since = new Date(0)): Promise<number | undefined> {
    const { taskArns = [] } = await ecs.send(
      new ListTasksCommand({ cluster: CLUSTER, serviceName: service, desiredStatus: 'STOPPED' }),
    );
    if (taskArns.length === 0) return undefined;
    const { tasks = [] } = await ecs.send(new DescribeTasksCommand({ cluster: CLUSTER, tasks: taskArns }));
    const deaths = tasks.filter(({ stopCode }) => stopCode === 'EssentialContainerExited').map(diedAt);
    return deaths.filter((at) => at >= since.getTime()).toSorted((a, b) => a - b)[0];
  }

  return {
    /** ECS works on it no more. @param since milliseconds since the epoch: of deployments made before nothing is said */
    async hasEnded(service: string, since: number): Promise<boolean> {
      const { status, createdAt } = await latest(service);
      return ENDED.includes(status ?? '') && (createdAt?.getTime() ?? 0) >= since;
    },

    /** Of a release whose deployment has ended. */
    async truthOf(service: string): Promise<Truth> {
      const deployment = await latest(service);
      const { status = 'unknown', finishedAt, rollback, startedAt } = deployment;
      if (status !== 'SUCCESSFUL')
        return {
          service,
          outcome: 'failure',
          status,
          at: (rollback?.startedAt ?? finishedAt)?.getTime() ?? 0,
        };
      const death = await firstDeath(service, startedAt);
      if (death !== undefined) return { service, outcome: 'failure', status, at: death };
      return { service, outcome: 'success', status, at: finishedAt?.getTime() ?? 0 };
    },
  };
}

export type SandboxRecord = ReturnType<typeof recordOf>;

function diedAt({ executionStoppedAt, stoppingAt, stoppedAt }: Task): number {
  return (executionStoppedAt ?? stoppingAt ?? stoppedAt)?.getTime() ?? 0;
}
