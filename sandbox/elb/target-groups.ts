import { isDeepStrictEqual } from 'node:util';
import type {
  CreateTargetGroupInput,
  DeleteTargetGroupInput,
  DescribeTargetGroupAttributesInput,
  DescribeTargetGroupsInput,
  ModifyTargetGroupAttributesInput,
  ModifyTargetGroupInput,
  TargetGroup,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import type { Given } from '../protocol/given.ts';
import { AwsError } from '../protocol/service.ts';
import type { Operation } from '../protocol/service.ts';
import { newTargetGroupArn } from './arns.ts';
import {
  attributeList,
  changedAttributes,
  initialAttributes,
  TARGET_GROUP_ATTRIBUTES,
} from './attributes.ts';
import { checkName, invalid, marked } from './context.ts';
import type { ElbContext } from './context.ts';
import { loadBalancerOf, ownedBy, targetGroupOf, usersOf } from './records.ts';
import type { HealthCheckSettings, TargetGroupRecord } from './records.ts';
import { mergeTags } from './tags.ts';

type HealthCheckInput = Pick<
  CreateTargetGroupInput,
  | 'HealthCheckProtocol'
  | 'HealthCheckPort'
  | 'HealthCheckEnabled'
  | 'HealthCheckPath'
  | 'HealthCheckIntervalSeconds'
  | 'HealthCheckTimeoutSeconds'
  | 'HealthyThresholdCount'
  | 'UnhealthyThresholdCount'
  | 'Matcher'
>;

/** The user guide's defaults for an Application Load Balancer. */
const DEFAULTS: HealthCheckSettings = {
  path: '/',
  port: 'traffic-port',
  intervalSeconds: 30,
  timeoutSeconds: 5,
  healthyThreshold: 5,
  unhealthyThreshold: 2,
  matcher: '200',
};

/** CreateTargetGroup; the same name with the same settings is the same target group. */
export function createTargetGroup({
  tables,
  plane,
}: ElbContext): Operation<Given<CreateTargetGroupInput, 'Name'>> {
  return (input, request) => {
    checkName('Target group', input.Name);
    const record: TargetGroupRecord = {
      arn: newTargetGroupArn(request, input.Name),
      name: input.Name,
      ...addressing(input),
      healthCheck: healthCheckOf(input, DEFAULTS),
      attributes: initialAttributes(TARGET_GROUP_ATTRIBUTES),
      targets: [],
      tags: mergeTags({}, input.Tags),
    };
    const existing = tables.targetGroups
      .values()
      .filter(ownedBy(request))
      .find(({ name }) => name === input.Name);
    if (existing && !sameSettings(existing, record)) {
      throw new AwsError(
        'DuplicateTargetGroupNameException',
        `A target group with the same name '${input.Name}' exists, but with different settings`,
      );
    }
    if (!existing) tables.targetGroups.set(record.arn, record);
    plane.refresh();
    return { TargetGroups: [describe(existing ?? record, usersOf(tables, (existing ?? record).arn))] };
  };
}

function sameSettings(a: TargetGroupRecord, b: TargetGroupRecord): boolean {
  const settings = ({ port, vpcId, targetType, healthCheck, tags }: TargetGroupRecord): unknown => [
    port,
    vpcId,
    targetType,
    healthCheck,
    tags,
  ];
  return isDeepStrictEqual(settings(a), settings(b));
}

function addressing(input: CreateTargetGroupInput): Pick<TargetGroupRecord, 'port' | 'vpcId' | 'targetType'> {
  if (input.Protocol === undefined) throw invalid('A protocol must be specified');
  if (input.Protocol !== 'HTTP' || (input.ProtocolVersion ?? 'HTTP1') !== 'HTTP1') {
    throw new AwsError(
      'InvalidConfigurationRequestException',
      'Only target groups of protocol HTTP, version HTTP1, exist here',
    );
  }
  if (input.Port === undefined) throw invalid('A port must be specified');
  if (input.VpcId === undefined) throw invalid('A VPC ID must be specified');
  const targetType = input.TargetType ?? 'instance';
  if (targetType !== 'ip' && targetType !== 'instance') {
    throw new AwsError(
      'InvalidConfigurationRequestException',
      `Target groups of type '${targetType}' don't exist here`,
    );
  }
  return { port: input.Port, vpcId: input.VpcId, targetType };
}

function healthCheckOf(input: HealthCheckInput, before: HealthCheckSettings): HealthCheckSettings {
  if ((input.HealthCheckProtocol ?? 'HTTP') !== 'HTTP' || input.HealthCheckEnabled === false) {
    throw new AwsError(
      'InvalidConfigurationRequestException',
      'Health checks are by HTTP, and always on, here',
    );
  }
  const settings: HealthCheckSettings = {
    path: input.HealthCheckPath ?? before.path,
    port: input.HealthCheckPort ?? before.port,
    intervalSeconds: input.HealthCheckIntervalSeconds ?? before.intervalSeconds,
    timeoutSeconds: input.HealthCheckTimeoutSeconds ?? before.timeoutSeconds,
    healthyThreshold: input.HealthyThresholdCount ?? before.healthyThreshold,
    unhealthyThreshold: input.UnhealthyThresholdCount ?? before.unhealthyThreshold,
    matcher: input.Matcher?.HttpCode ?? before.matcher,
  };
  checkHealthCheck(settings);
  return settings;
}

function checkHealthCheck({
  path,
  port,
  intervalSeconds,
  timeoutSeconds,
  matcher,
}: HealthCheckSettings): void {
  if (!path.startsWith('/')) throw invalid(`Health check path '${path}' must begin with a '/'`);
  if (port !== 'traffic-port' && !(/^\d+$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535)) {
    throw invalid(`Health check port '${port}' must be in the range 1-65535 or 'traffic-port'`);
  }
  if (timeoutSeconds > intervalSeconds) {
    throw invalid(
      `Health check timeout '${timeoutSeconds}' must be smaller than or equal to the interval '${intervalSeconds}'`,
    );
  }
  const codes = matcher.split(/[,-]/).map(Number);
  if (!/^\d{3}(-\d{3})?(,\d{3}(-\d{3})?)*$/.test(matcher) || codes.some((code) => code < 200 || code > 499)) {
    throw invalid(`Health check matcher HTTP code '${matcher}' must be within '200-499' inclusive`);
  }
}

export function describeTargetGroups({ tables }: ElbContext): Operation<DescribeTargetGroupsInput> {
  return (input, request) => {
    const { LoadBalancerArn: user, TargetGroupArns: arns, Names: names } = input;
    const all = tables.targetGroups.values().filter(ownedBy(request));
    for (const arn of arns ?? []) targetGroupOf(tables, arn);
    if (user !== undefined) loadBalancerOf(tables, user);
    const unknown = names?.find((name) => !all.some((one) => one.name === name));
    if (unknown !== undefined) {
      throw new AwsError('TargetGroupNotFoundException', 'One or more target groups not found');
    }
    const found = all
      .map((record) => ({ record, users: usersOf(tables, record.arn) }))
      .filter(({ record: { arn, name } }) => (arns?.includes(arn) ?? true) && (names?.includes(name) ?? true))
      .filter(({ users }) => user === undefined || users.includes(user));
    const { items, NextMarker } = marked(found, input);
    return { TargetGroups: items.map(({ record, users }) => describe(record, users)), NextMarker };
  };
}

export function modifyTargetGroup({
  tables,
  plane,
}: ElbContext): Operation<Given<ModifyTargetGroupInput, 'TargetGroupArn'>> {
  return (input) => {
    const record = targetGroupOf(tables, input.TargetGroupArn);
    const changed = { ...record, healthCheck: healthCheckOf(input, record.healthCheck) };
    tables.targetGroups.set(record.arn, changed);
    plane.refresh();
    return { TargetGroups: [describe(changed, usersOf(tables, record.arn))] };
  };
}

/** DeleteTargetGroup; one that doesn't exist is a success. */
export function deleteTargetGroup({
  tables,
  plane,
}: ElbContext): Operation<Given<DeleteTargetGroupInput, 'TargetGroupArn'>> {
  return ({ TargetGroupArn }) => {
    if (usersOf(tables, TargetGroupArn).length > 0) {
      throw new AwsError(
        'ResourceInUseException',
        `Target group '${TargetGroupArn}' is currently in use by a listener or a rule`,
      );
    }
    tables.targetGroups.delete(TargetGroupArn);
    plane.refresh();
    return {};
  };
}

export function describeTargetGroupAttributes({
  tables,
}: ElbContext): Operation<Given<DescribeTargetGroupAttributesInput, 'TargetGroupArn'>> {
  return ({ TargetGroupArn }) => ({
    Attributes: attributeList(targetGroupOf(tables, TargetGroupArn).attributes),
  });
}

export function modifyTargetGroupAttributes({
  tables,
}: ElbContext): Operation<Given<ModifyTargetGroupAttributesInput, 'TargetGroupArn' | 'Attributes'>> {
  return ({ TargetGroupArn, Attributes }) => {
    const record = targetGroupOf(tables, TargetGroupArn);
    const attributes = changedAttributes(TARGET_GROUP_ATTRIBUTES, record.attributes, Attributes);
    tables.targetGroups.set(TargetGroupArn, { ...record, attributes });
    return { Attributes: attributeList(attributes) };
  };
}

function describe({ healthCheck, ...record }: TargetGroupRecord, users: string[]): TargetGroup {
  return {
    TargetGroupArn: record.arn,
    TargetGroupName: record.name,
    Protocol: 'HTTP',
    ProtocolVersion: 'HTTP1',
    Port: record.port,
    VpcId: record.vpcId,
    HealthCheckProtocol: 'HTTP',
    HealthCheckPort: healthCheck.port,
    HealthCheckEnabled: true,
    HealthCheckIntervalSeconds: healthCheck.intervalSeconds,
    HealthCheckTimeoutSeconds: healthCheck.timeoutSeconds,
    HealthyThresholdCount: healthCheck.healthyThreshold,
    UnhealthyThresholdCount: healthCheck.unhealthyThreshold,
    HealthCheckPath: healthCheck.path,
    Matcher: { HttpCode: healthCheck.matcher },
    LoadBalancerArns: users,
    TargetType: record.targetType,
    IpAddressType: 'ipv4',
  };
}
