import { isIPv4 } from 'node:net';
import type {
  DeregisterTargetsInput,
  DescribeTargetHealthInput,
  RegisterTargetsInput,
  TargetDescription,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import type { Given } from '../protocol/given.ts';
import { AwsError } from '../protocol/service.ts';
import type { Operation } from '../protocol/service.ts';
import { invalid } from './context.ts';
import type { ElbContext } from './context.ts';
import type { Health } from './health-check.ts';
import { keyOf } from './pool.ts';
import { targetGroupOf } from './records.ts';
import type { TargetAddress, TargetGroupRecord } from './records.ts';

const MAX_TARGETS = 1000;

/** Adds a target to its group; one that is there already stays as it is. */
export function register(
  { tables, plane }: ElbContext,
  targetGroupArn: string,
  targets: readonly TargetAddress[],
): void {
  const group = targetGroupOf(tables, targetGroupArn);
  const all = new Map([...group.targets, ...targets].map((target) => [keyOf(target), target]));
  if (all.size > MAX_TARGETS) {
    throw new AwsError('TooManyTargetsException', `A target group can have ${MAX_TARGETS} targets at most`);
  }
  tables.targetGroups.set(group.arn, { ...group, targets: [...all.values()] });
  plane.refresh();
}

/** Takes targets out of their group. They get no new requests; what is under way drains. */
export function deregister(
  { tables, plane }: ElbContext,
  targetGroupArn: string,
  targets: readonly TargetAddress[],
): void {
  const group = targetGroupOf(tables, targetGroupArn);
  const gone = new Set(targets.map(keyOf));
  tables.targetGroups.set(group.arn, {
    ...group,
    targets: group.targets.filter((target) => !gone.has(keyOf(target))),
  });
  plane.refresh();
}

export function registerTargets(
  context: ElbContext,
): Operation<Given<RegisterTargetsInput, 'TargetGroupArn' | 'Targets'>> {
  return ({ TargetGroupArn, Targets }) => {
    const group = targetGroupOf(context.tables, TargetGroupArn);
    register(
      context,
      TargetGroupArn,
      Targets.map((target) => addressOf(group, target)),
    );
    return {};
  };
}

export function deregisterTargets(
  context: ElbContext,
): Operation<Given<DeregisterTargetsInput, 'TargetGroupArn' | 'Targets'>> {
  return ({ TargetGroupArn, Targets }) => {
    const { targets } = targetGroupOf(context.tables, TargetGroupArn);
    // Without a port all registrations of the id are meant.
    const meant = targets.filter((target) => Targets.some((wanted) => means(wanted, target)));
    deregister(context, TargetGroupArn, meant);
    return {};
  };
}

export function describeTargetHealth({
  tables,
  plane,
}: ElbContext): Operation<Given<DescribeTargetHealthInput, 'TargetGroupArn'>> {
  return ({ TargetGroupArn, Targets }) => {
    const group = targetGroupOf(tables, TargetGroupArn);
    const all = plane.health(TargetGroupArn);
    const found = Targets
      ? Targets.flatMap((wanted) => {
          const known = all.filter(({ target }) => means(wanted, target));
          return known.length > 0 ? known : [{ target: addressOf(group, wanted), health: NOT_REGISTERED }];
        })
      : all;
    return {
      TargetHealthDescriptions: found.map(({ target, health }) => ({
        Target: {
          Id: target.id,
          Port: target.port,
          ...(group.targetType === 'ip' ? { AvailabilityZone: 'all' } : {}),
        },
        HealthCheckPort:
          group.healthCheck.port === 'traffic-port' ? String(target.port) : group.healthCheck.port,
        TargetHealth: { State: health.state, Reason: health.reason, Description: health.description },
      })),
    };
  };
}

const NOT_REGISTERED: Health = {
  state: 'unused',
  reason: 'Target.NotRegistered',
  description: 'Target is not registered to the target group',
};

function means({ Id, Port }: TargetDescription, target: TargetAddress): boolean {
  return Id === target.id && (Port === undefined || Port === target.port);
}

function addressOf(group: TargetGroupRecord, { Id = '', Port }: TargetDescription): TargetAddress {
  if (group.targetType === 'ip' && !isIPv4(Id)) {
    throw invalid(`The IP address '${Id}' is not a valid IPv4 address`);
  }
  if (group.targetType === 'instance' && !/^i-[0-9a-f]+$/.test(Id)) {
    throw new AwsError(
      'InvalidTargetException',
      `The following targets are not in a running state or don't exist: '${Id}'`,
    );
  }
  return { id: Id, port: Port ?? group.port };
}
