import type {
  Cluster,
  Container,
  DeploymentConfiguration,
  DeploymentLifecycleHookAction,
  DeploymentLifecycleHookStatus,
  LoadBalancer,
  Service,
  ServiceDeploymentStatus,
  ServiceRevisionLoadBalancer,
  Tag,
  Task,
  TaskDefinition,
} from '@aws-sdk/client-ecs';
import type { Store, Table } from '../store.ts';
import type { PortBinding } from '../tasks/types.ts';
import type { StageName } from './strategy.ts';
import type { Weights } from './view.ts';

/** Times in records are ISO 8601 strings: records are JSON. */
type Stored<T, Times extends keyof T> = Omit<T, Times> & { [K in Times]?: string };

export interface ClusterRecord extends Omit<Cluster, 'clusterArn' | 'clusterName' | 'status'> {
  readonly clusterArn: string;
  readonly clusterName: string;
  readonly status: 'ACTIVE' | 'INACTIVE';
}

export interface TaskDefinitionRecord extends Stored<
  TaskDefinition,
  'registeredAt' | 'deregisteredAt' | 'deleteRequestedAt'
> {
  readonly taskDefinitionArn: string;
  readonly family: string;
  readonly revision: number;
  readonly status: 'ACTIVE' | 'INACTIVE';
}

/** What a task of a service runs, fixed when its deployment began: a service revision. */
export interface RevisionRecord {
  readonly serviceRevisionArn: string;
  readonly serviceArn: string;
  readonly clusterArn: string;
  readonly taskDefinition: string;
  readonly loadBalancers: readonly LoadBalancer[];
  /** The target groups that its tasks are in: of two that alternate, one. In the order of `loadBalancers`. */
  readonly resolvedConfiguration: { readonly loadBalancers: readonly ServiceRevisionLoadBalancer[] };
  readonly launchType?: Service['launchType'];
  readonly capacityProviderStrategy?: Service['capacityProviderStrategy'];
  readonly platformVersion?: string;
  readonly networkConfiguration?: Service['networkConfiguration'];
  readonly serviceRegistries?: Service['serviceRegistries'];
  readonly containerImages: readonly {
    readonly containerName: string;
    readonly image: string;
    readonly imageDigest?: string;
  }[];
  readonly createdAt: string;
}

export type RolloutState = 'IN_PROGRESS' | 'COMPLETED' | 'FAILED';

/** An entry of a service's `deployments`: the tasks of one revision. */
export interface DeploymentRecord {
  readonly id: string;
  readonly status: 'PRIMARY' | 'ACTIVE';
  readonly revisionArn: string;
  readonly taskDefinition: string;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly rolloutState: RolloutState;
  readonly rolloutStateReason: string;
  readonly failedTasks: number;
  /** Once a task has run successfully, failures are no longer counted. */
  readonly succeeded: boolean;
  /** Launches that failed in a row, for the scheduler's back-off, and until when it waits. */
  readonly launchFailures: number;
  readonly notBefore?: string;
}

export interface EventRecord {
  readonly id: string;
  readonly createdAt: string;
  readonly message: string;
}

type ServiceFields = Stored<Service, 'createdAt'>;

export interface ServiceRecord extends Omit<
  ServiceFields,
  'deployments' | 'events' | 'runningCount' | 'pendingCount' | 'taskSets' | 'tags' | 'currentServiceRevisions'
> {
  readonly serviceArn: string;
  readonly serviceName: string;
  readonly clusterArn: string;
  readonly status: 'ACTIVE' | 'DRAINING' | 'INACTIVE';
  readonly desiredCount: number;
  readonly taskDefinition: string;
  readonly loadBalancers: LoadBalancer[];
  readonly deploymentConfiguration: DeploymentConfiguration;
  /** The most recent first; the first is PRIMARY. */
  readonly deployments: readonly DeploymentRecord[];
  /** The most recent first; 100 at most. */
  readonly events: readonly EventRecord[];
  /** The revision that ran when a deployment last completed: what a rollback goes back to. */
  readonly lastCompleted?: { readonly deploymentId: string; readonly revisionArn: string };
  readonly steady: boolean;
  readonly clientToken?: string;
}

/** One execution of a PAUSE hook. */
export interface HookRecord {
  readonly hookId: string;
  readonly targetType: 'PAUSE';
  readonly status: DeploymentLifecycleHookStatus;
  readonly expiresAt: string;
  readonly timeoutAction: DeploymentLifecycleHookAction;
}

export interface ServiceDeploymentRecord {
  readonly serviceDeploymentArn: string;
  readonly serviceArn: string;
  readonly clusterArn: string;
  /** The entry of the service's `deployments` that it rolls out. */
  readonly deploymentId: string;
  readonly createdAt: string;
  readonly startedAt?: string;
  readonly finishedAt?: string;
  readonly stoppedAt?: string;
  readonly updatedAt: string;
  readonly sourceRevisionArns: readonly string[];
  readonly targetRevisionArn: string;
  readonly status: ServiceDeploymentStatus;
  readonly statusReason?: string;
  /** Undefined before the first stage. */
  readonly stage?: StageName;
  /** Which of the traffic shift's steps the stage belongs to, from 1. */
  readonly step?: number;
  readonly stageSince: string;
  /** The deployment that the traffic comes from; undefined when nothing served before. */
  readonly sourceDeploymentId?: string;
  /** Of the source revisions the one that has the traffic that the target hasn't. */
  readonly servingRevisionArn?: string;
  /** Of the traffic, what goes to the target revision, in percent. */
  readonly weights: Weights;
  /** Of the latest stage on the way forward. */
  readonly hooks: readonly HookRecord[];
  /** Whether its alarms are watched: not when one was in ALARM at the start. */
  readonly alarmsWatched: boolean;
  readonly triggeredAlarms: readonly string[];
  /** The stage in which its rollback began. */
  readonly interrupted?: StageName;
  readonly deploymentConfiguration: DeploymentConfiguration;
  readonly rollback?: {
    readonly reason: string;
    readonly startedAt: string;
    readonly serviceRevisionArn: string;
  };
  readonly failureCount: number;
  readonly threshold: number;
  readonly breakerTriggered: boolean;
}

type TaskFields = Stored<
  Task,
  | 'connectivityAt'
  | 'createdAt'
  | 'executionStoppedAt'
  | 'pullStartedAt'
  | 'pullStoppedAt'
  | 'startedAt'
  | 'stoppedAt'
  | 'stoppingAt'
>;

export interface TaskRecord extends Omit<TaskFields, 'tags'> {
  readonly taskArn: string;
  readonly clusterArn: string;
  readonly taskDefinitionArn: string;
  readonly lastStatus: string;
  readonly desiredStatus: 'RUNNING' | 'STOPPED';
  readonly containers: Container[];
  readonly createdAt: string;
  /** Of a service's task. */
  readonly service?: { readonly arn: string; readonly deploymentId: string; readonly revisionArn: string };
  /** Each container's ports on 127.0.0.1. */
  readonly ports: Readonly<Record<string, readonly PortBinding[]>>;
  /** The scheduler stops it because of its health checks. */
  readonly failedChecks?: boolean;
  /** Whether it has run successfully: all its health checks have passed. */
  readonly succeeded: boolean;
}

/** ECS's state. */
export interface Tables {
  readonly clusters: Table<ClusterRecord>;
  readonly taskDefinitions: Table<TaskDefinitionRecord>;
  /** The last revision number of each family; numbers are never used again. */
  readonly families: Table<number>;
  readonly services: Table<ServiceRecord>;
  readonly revisions: Table<RevisionRecord>;
  readonly serviceDeployments: Table<ServiceDeploymentRecord>;
  readonly tasks: Table<TaskRecord>;
  /** By the resource's ARN. */
  readonly tags: Table<Tag[]>;
  /** What a client token of RunTask stands for. */
  readonly clientTokens: Table<{
    readonly request: string;
    readonly taskArns: string[];
    readonly at: string;
  }>;
}

export function openTables(store: Store): Tables {
  return {
    clusters: store.table('ecs.clusters'),
    taskDefinitions: store.table('ecs.taskDefinitions'),
    families: store.table('ecs.families'),
    services: store.table('ecs.services'),
    revisions: store.table('ecs.revisions'),
    serviceDeployments: store.table('ecs.serviceDeployments'),
    tasks: store.table('ecs.tasks'),
    tags: store.table('ecs.tags'),
    clientTokens: store.table('ecs.clientTokens'),
  };
}
