import type { Clock } from '../clock.ts';
import type { AlarmStates } from '../cloudwatch/alarms.ts';
import type { Targets } from '../elb/elb.ts';
import { AwsError } from '../protocol/service.ts';
import type { TaskRunner } from '../tasks/types.ts';
import type { ImageSource } from '../tasks/images.ts';
import type { ClusterRecord, Tables } from './records.ts';

/** All that ECS's operations and scheduler share. */
export interface EcsContext {
  readonly tables: Tables;
  readonly clock: Clock;
  readonly runner: TaskRunner;
  readonly targets: Targets;
  readonly images: ImageSource;
  readonly alarms: AlarmStates;
  readonly region: string;
  readonly accountId: string;
}

export function nowIso(ecs: EcsContext): string {
  return new Date(ecs.clock.now()).toISOString();
}

export function arn(ecs: EcsContext, resource: string): string {
  return `arn:aws:ecs:${ecs.region}:${ecs.accountId}:${resource}`;
}

/** The name behind the last slash of an ARN, or the name itself. */
export function shortName(nameOrArn: string): string {
  return nameOrArn.slice(nameOrArn.lastIndexOf('/') + 1);
}

export function hexId(): string {
  return crypto.randomUUID().replaceAll('-', '');
}

/** Ids as ECS makes them for deployments and revisions: 19 digits. */
export function digitId(): string {
  const random = crypto.getRandomValues(new BigUint64Array(1))[0] ?? 0n;
  return String(10n ** 18n + (random % (9n * 10n ** 18n)));
}

/** @throws AwsError ClusterNotFoundException; without a name `default` is meant */
export function activeCluster(ecs: EcsContext, nameOrArn: string | undefined): ClusterRecord {
  const name = shortName(nameOrArn ?? 'default');
  const cluster = ecs.tables.clusters.get(name);
  if (cluster?.status !== 'ACTIVE') throw new AwsError('ClusterNotFoundException', 'Cluster not found.');
  return cluster;
}

export function invalid(message: string): AwsError {
  return new AwsError('InvalidParameterException', message);
}

export function unsupported(what: string): AwsError {
  return new AwsError('UnsupportedFeatureException', `${what} is not modelled by the sandbox.`);
}

export function clientError(message: string): AwsError {
  return new AwsError('ClientException', message);
}

/** The members of an input that a caller gave, without those that are undefined. */
export function given<T extends object>(input: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
