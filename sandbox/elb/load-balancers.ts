import { isDeepStrictEqual } from 'node:util';
import type {
  CreateLoadBalancerInput,
  DeleteLoadBalancerInput,
  DescribeLoadBalancerAttributesInput,
  DescribeLoadBalancersInput,
  LoadBalancer,
  ModifyLoadBalancerAttributesInput,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import type { Given } from '../protocol/given.ts';
import { AwsError } from '../protocol/service.ts';
import type { Operation, RequestContext } from '../protocol/service.ts';
import { newLoadBalancerArn } from './arns.ts';
import {
  attributeList,
  changedAttributes,
  initialAttributes,
  LOAD_BALANCER_ATTRIBUTES,
} from './attributes.ts';
import { checkName, invalid, marked } from './context.ts';
import type { ElbContext } from './context.ts';
import { removeListener } from './listeners.ts';
import { listenersOf, loadBalancerOf, ownedBy } from './records.ts';
import type { LoadBalancerRecord } from './records.ts';
import { mergeTags } from './tags.ts';

/** The sandbox has one network. */
const VPC = 'vpc-00000000000000000';

/** CreateLoadBalancer; the same name with the same settings is the same load balancer. */
export function createLoadBalancer({
  tables,
  plane,
  clock,
}: ElbContext): Operation<Given<CreateLoadBalancerInput, 'Name'>> {
  return (input, request) => {
    checkName('Load balancer', input.Name);
    if ((input.Type ?? 'application') !== 'application' || (input.IpAddressType ?? 'ipv4') !== 'ipv4') {
      throw new AwsError(
        'InvalidConfigurationRequestException',
        'Only application load balancers with IPv4 exist here',
      );
    }
    const record: LoadBalancerRecord = {
      arn: newLoadBalancerArn(request, input.Name),
      name: input.Name,
      scheme: input.Scheme ?? 'internet-facing',
      created: new Date(clock.now()).toISOString(),
      zones: zonesOf(input, request),
      securityGroups: input.SecurityGroups ?? [],
      attributes: initialAttributes(LOAD_BALANCER_ATTRIBUTES),
      tags: mergeTags({}, input.Tags),
    };
    const existing = tables.loadBalancers
      .values()
      .filter(ownedBy(request))
      .find(({ name }) => name === input.Name);
    if (existing && !sameSettings(existing, record)) {
      throw new AwsError(
        'DuplicateLoadBalancerNameException',
        `A load balancer with the same name '${input.Name}' exists, but with different settings`,
      );
    }
    if (!existing) tables.loadBalancers.set(record.arn, record);
    return { LoadBalancers: [describe(existing ?? record, plane.troubleOf((existing ?? record).arn))] };
  };
}

function sameSettings(a: LoadBalancerRecord, b: LoadBalancerRecord): boolean {
  const settings = ({ scheme, zones, securityGroups, tags }: LoadBalancerRecord): unknown => [
    scheme,
    zones,
    securityGroups,
    tags,
  ];
  return isDeepStrictEqual(settings(a), settings(b));
}

function zonesOf(input: CreateLoadBalancerInput, { region }: RequestContext): LoadBalancerRecord['zones'] {
  const subnets = input.Subnets ?? (input.SubnetMappings ?? []).flatMap(({ SubnetId }) => SubnetId ?? []);
  const bad = subnets.find((subnet) => !/^subnet-[0-9a-z]+$/.test(subnet));
  if (bad !== undefined) {
    throw new AwsError('SubnetNotFoundException', `The subnet ID '${bad}' does not exist`);
  }
  if (new Set(subnets).size < 2) {
    throw invalid('At least two subnets in two different Availability Zones must be specified');
  }
  return subnets.map((SubnetId, i) => ({ ZoneName: `${region}${'abcdef'[i % 6]}`, SubnetId }));
}

export function describeLoadBalancers({ tables, plane }: ElbContext): Operation<DescribeLoadBalancersInput> {
  return (input, request) => {
    const { LoadBalancerArns: arns, Names: names } = input;
    const all = tables.loadBalancers.values().filter(ownedBy(request));
    for (const arn of arns ?? []) loadBalancerOf(tables, arn);
    const unknown = names?.find((name) => !all.some((one) => one.name === name));
    if (unknown !== undefined) {
      throw new AwsError('LoadBalancerNotFoundException', `Load balancers '[${unknown}]' not found`);
    }
    const found = all.filter(
      ({ arn, name }) => (arns?.includes(arn) ?? true) && (names?.includes(name) ?? true),
    );
    const { items, NextMarker } = marked(found, input);
    return {
      LoadBalancers: items.map((record) => describe(record, plane.troubleOf(record.arn))),
      NextMarker,
    };
  };
}

/** DeleteLoadBalancer, with its listeners; one that doesn't exist is a success. */
export function deleteLoadBalancer(
  context: ElbContext,
): Operation<Given<DeleteLoadBalancerInput, 'LoadBalancerArn'>> {
  return async ({ LoadBalancerArn }) => {
    const { tables } = context;
    const record = tables.loadBalancers.get(LoadBalancerArn);
    if (record?.attributes['deletion_protection.enabled'] === 'true') {
      throw new AwsError(
        'OperationNotPermittedException',
        `Load balancer '${LoadBalancerArn}' cannot be deleted because deletion protection is enabled`,
      );
    }
    for (const { arn } of listenersOf(tables, LoadBalancerArn)) await removeListener(context, arn);
    tables.loadBalancers.delete(LoadBalancerArn);
    return {};
  };
}

export function describeLoadBalancerAttributes({
  tables,
}: ElbContext): Operation<Given<DescribeLoadBalancerAttributesInput, 'LoadBalancerArn'>> {
  return ({ LoadBalancerArn }) => ({
    Attributes: attributeList(loadBalancerOf(tables, LoadBalancerArn).attributes),
  });
}

export function modifyLoadBalancerAttributes({
  tables,
  plane,
}: ElbContext): Operation<Given<ModifyLoadBalancerAttributesInput, 'LoadBalancerArn' | 'Attributes'>> {
  return ({ LoadBalancerArn, Attributes }) => {
    const record = loadBalancerOf(tables, LoadBalancerArn);
    const attributes = changedAttributes(LOAD_BALANCER_ATTRIBUTES, record.attributes, Attributes);
    tables.loadBalancers.set(LoadBalancerArn, { ...record, attributes });
    plane.refresh();
    return { Attributes: attributeList(attributes) };
  };
}

function describe(record: LoadBalancerRecord, trouble: string | undefined): LoadBalancer {
  return {
    LoadBalancerArn: record.arn,
    LoadBalancerName: record.name,
    // Every listener is on the machine itself, at its own port.
    DNSName: '127.0.0.1',
    CanonicalHostedZoneId: 'Z32O12XQLNTSW2',
    CreatedTime: new Date(record.created),
    Scheme: record.scheme,
    VpcId: VPC,
    State: trouble === undefined ? { Code: 'active' } : { Code: 'active_impaired', Reason: trouble },
    Type: 'application',
    AvailabilityZones: record.zones.map((zone) => ({ ...zone, LoadBalancerAddresses: [] })),
    SecurityGroups: [...record.securityGroups],
    IpAddressType: 'ipv4',
  };
}
