import { isDeepStrictEqual } from 'node:util';
import type {
  CreateListenerInput,
  DeleteListenerInput,
  DescribeListenerAttributesInput,
  DescribeListenersInput,
  Listener,
  ModifyListenerAttributesInput,
  ModifyListenerInput,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import type { Given } from '../protocol/given.ts';
import { AwsError } from '../protocol/service.ts';
import type { Operation } from '../protocol/service.ts';
import { normaliseActions } from './actions.ts';
import { newListenerArn, newRuleArn } from './arns.ts';
import { attributeList, changedAttributes, initialAttributes, LISTENER_ATTRIBUTES } from './attributes.ts';
import { invalid, marked } from './context.ts';
import type { ElbContext } from './context.ts';
import { listenerOf, listenersOf, loadBalancerOf, rulesOf } from './records.ts';
import type { ElbTables, ListenerRecord, RuleRecord } from './records.ts';
import { mergeTags } from './tags.ts';

/** CreateListener: when it has answered, the port serves. The same port with the same settings is the same listener. */
export function createListener({
  tables,
  plane,
}: ElbContext): Operation<Given<CreateListenerInput, 'LoadBalancerArn' | 'DefaultActions'>> {
  return async (input) => {
    const { arn: loadBalancerArn } = loadBalancerOf(tables, input.LoadBalancerArn);
    checkProtocol(input);
    if (input.Port === undefined) throw invalid('A port must be specified');
    const actions = normaliseActions(tables, loadBalancerArn, input.DefaultActions);
    const existing = listenersOf(tables, loadBalancerArn).find(({ port }) => port === input.Port);
    if (existing) {
      if (isDeepStrictEqual(defaultRuleOf(tables, existing.arn).actions, actions)) {
        return { Listeners: [describe(tables, existing)] };
      }
      throw new AwsError(
        'DuplicateListenerException',
        'A listener already exists on this port for this load balancer',
      );
    }
    const arn = newListenerArn(loadBalancerArn);
    const record: ListenerRecord = {
      arn,
      loadBalancerArn,
      port: input.Port,
      attributes: initialAttributes(LISTENER_ATTRIBUTES),
      tags: mergeTags({}, input.Tags),
    };
    await openPort(() => plane.open(record), record.port);
    tables.listeners.set(arn, record);
    const rule: RuleRecord = {
      arn: newRuleArn(arn),
      listenerArn: arn,
      priority: 'default',
      conditions: [],
      actions,
      tags: {},
    };
    tables.rules.set(rule.arn, rule);
    plane.refresh();
    return { Listeners: [describe(tables, record)] };
  };
}

function checkProtocol({
  Protocol,
  Certificates,
  MutualAuthentication,
}: Omit<CreateListenerInput, 'LoadBalancerArn' | 'DefaultActions'>): void {
  if ((Protocol ?? 'HTTP') !== 'HTTP' || Certificates !== undefined || MutualAuthentication !== undefined) {
    throw new AwsError('UnsupportedProtocolException', 'Listeners speak HTTP only here');
  }
}

async function openPort(open: () => Promise<void>, port: number): Promise<void> {
  try {
    await open();
  } catch (error) {
    throw new AwsError(
      'InvalidConfigurationRequestException',
      `Port ${port} of 127.0.0.1 can't be listened on: ${error instanceof Error ? error.message : String(error)}. ` +
        'All load balancers of the sandbox share one address: choose another port, or stop what uses it',
    );
  }
}

export function describeListeners({ tables }: ElbContext): Operation<DescribeListenersInput> {
  return (input) => {
    const { LoadBalancerArn: user, ListenerArns: arns } = input;
    if (user === undefined && arns === undefined) {
      throw invalid('You must specify either listener ARNs or a load balancer ARN');
    }
    const found = arns
      ? arns.map((arn) => listenerOf(tables, arn))
      : listenersOf(tables, loadBalancerOf(tables, user ?? '').arn);
    const { items, NextMarker } = marked(found, input);
    return { Listeners: items.map((record) => describe(tables, record)), NextMarker };
  };
}

export function modifyListener({
  tables,
  plane,
}: ElbContext): Operation<Given<ModifyListenerInput, 'ListenerArn'>> {
  return async (input) => {
    const record = listenerOf(tables, input.ListenerArn);
    checkProtocol(input);
    const { Port = record.port, DefaultActions } = input;
    const actions = DefaultActions && normaliseActions(tables, record.loadBalancerArn, DefaultActions);
    if (Port !== record.port) await move(tables, plane, record, Port);
    if (actions) {
      const rule = defaultRuleOf(tables, record.arn);
      tables.rules.set(rule.arn, { ...rule, actions });
    }
    plane.refresh();
    return { Listeners: [describe(tables, listenerOf(tables, record.arn))] };
  };
}

async function move(
  tables: ElbTables,
  plane: ElbContext['plane'],
  record: ListenerRecord,
  port: number,
): Promise<void> {
  if (listenersOf(tables, record.loadBalancerArn).some((other) => other.port === port)) {
    throw new AwsError(
      'DuplicateListenerException',
      'A listener already exists on this port for this load balancer',
    );
  }
  const moved = { ...record, port };
  await openPort(() => plane.open(moved), port);
  tables.listeners.set(record.arn, moved);
}

export function deleteListener(context: ElbContext): Operation<Given<DeleteListenerInput, 'ListenerArn'>> {
  return async ({ ListenerArn }) => {
    listenerOf(context.tables, ListenerArn);
    await removeListener(context, ListenerArn);
    return {};
  };
}

/** Takes a listener away with its rules, and closes its port. */
export async function removeListener({ tables, plane }: ElbContext, arn: string): Promise<void> {
  for (const rule of rulesOf(tables, arn)) tables.rules.delete(rule.arn);
  tables.listeners.delete(arn);
  await plane.closeListener(arn);
  plane.refresh();
}

export function describeListenerAttributes({
  tables,
}: ElbContext): Operation<Given<DescribeListenerAttributesInput, 'ListenerArn'>> {
  return ({ ListenerArn }) => ({ Attributes: attributeList(listenerOf(tables, ListenerArn).attributes) });
}

export function modifyListenerAttributes({
  tables,
  plane,
}: ElbContext): Operation<Given<ModifyListenerAttributesInput, 'ListenerArn' | 'Attributes'>> {
  return ({ ListenerArn, Attributes }) => {
    const record = listenerOf(tables, ListenerArn);
    const attributes = changedAttributes(LISTENER_ATTRIBUTES, record.attributes, Attributes);
    tables.listeners.set(ListenerArn, { ...record, attributes });
    plane.refresh();
    return { Attributes: attributeList(attributes) };
  };
}

function defaultRuleOf(tables: ElbTables, listenerArn: string): RuleRecord {
  const rule = rulesOf(tables, listenerArn).find(({ priority }) => priority === 'default');
  if (!rule) throw new Error(`Listener ${listenerArn} has no default rule`);
  return rule;
}

function describe(tables: ElbTables, record: ListenerRecord): Listener {
  return {
    ListenerArn: record.arn,
    LoadBalancerArn: record.loadBalancerArn,
    Port: record.port,
    Protocol: 'HTTP',
    DefaultActions: [...defaultRuleOf(tables, record.arn).actions],
  };
}
