import type { Clock } from '../clock.ts';
import type { AlarmStates } from '../cloudwatch/alarms.ts';
import type { Targets } from '../elb/elb.ts';
import type { ServiceDefinition } from '../protocol/service.ts';
import type { Store } from '../store.ts';
import type { InsightsLevel } from '../tasks/container-insights.ts';
import type { ImageSource } from '../tasks/images.ts';
import type { TaskRunner } from '../tasks/types.ts';
import * as clusters from './clusters.ts';
import type { EcsContext } from './context.ts';
import { continueServiceDeployment } from './continue-service-deployment.ts';
import { openTables } from './records.ts';
import { createScheduler } from './scheduler.ts';
import * as deployments from './service-deployments.ts';
import { describeServices, listServices } from './service-reads.ts';
import * as services from './services.ts';
import * as tags from './tag-operations.ts';
import * as taskDefinitions from './task-definitions.ts';
import * as tasks from './task-operations.ts';

export interface EcsDependencies {
  readonly store: Store;
  readonly clock: Clock;
  readonly runner: TaskRunner;
  readonly targets: Targets;
  readonly images: ImageSource;
  readonly alarms: AlarmStates;
  readonly region: string;
  readonly accountId: string;
}

export interface Ecs {
  readonly service: ServiceDefinition;
  /** The cluster's Container Insights setting as it is now. */
  containerInsights(clusterName: string): InsightsLevel;
  /** Stops scheduling; the tasks are the runner's to stop. */
  close(): void;
}

/** Amazon ECS. Tasks that an earlier sandbox left are taken over, and its services go on. */
export function createEcs({ store, ...dependencies }: EcsDependencies): Ecs {
  const ecs: EcsContext = { ...dependencies, tables: openTables(store) };
  const scheduler = createScheduler(ecs);
  scheduler.recover();
  return {
    service: {
      model: 'ecs',
      operations: {
        CreateCluster: clusters.createCluster(ecs),
        DeleteCluster: clusters.deleteCluster(ecs),
        DescribeClusters: clusters.describeClusters(ecs),
        ListClusters: clusters.listClusters(ecs),
        RegisterTaskDefinition: taskDefinitions.registerTaskDefinition(ecs),
        DescribeTaskDefinition: taskDefinitions.describeTaskDefinition(ecs),
        DeregisterTaskDefinition: taskDefinitions.deregisterTaskDefinition(ecs),
        ListTaskDefinitions: taskDefinitions.listTaskDefinitions(ecs),
        ListTaskDefinitionFamilies: taskDefinitions.listTaskDefinitionFamilies(ecs),
        CreateService: services.createService(ecs, scheduler),
        UpdateService: services.updateService(ecs, scheduler),
        DeleteService: services.deleteService(ecs, scheduler),
        DescribeServices: describeServices(ecs),
        ListServices: listServices(ecs),
        RunTask: tasks.runTask(ecs),
        StopTask: tasks.stopTask(ecs),
        DescribeTasks: tasks.describeTasks(ecs),
        ListTasks: tasks.listTasks(ecs),
        TagResource: tags.tagResource(ecs),
        UntagResource: tags.untagResource(ecs),
        ListTagsForResource: tags.listTagsForResource(ecs),
        ListServiceDeployments: deployments.listServiceDeployments(ecs),
        DescribeServiceDeployments: deployments.describeServiceDeployments(ecs),
        DescribeServiceRevisions: deployments.describeServiceRevisions(ecs),
        StopServiceDeployment: deployments.stopServiceDeployment(ecs, scheduler),
        ContinueServiceDeployment: continueServiceDeployment(ecs, scheduler),
      },
    },
    containerInsights: (clusterName) => clusters.containerInsights(ecs, clusterName),
    close: () => scheduler.close(),
  };
}
