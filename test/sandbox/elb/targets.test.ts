import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createClock } from '../../../sandbox/clock.ts';
import { createElb } from '../../../sandbox/elb/elb.ts';
import type { Elb, HealthChange } from '../../../sandbox/elb/elb.ts';
import { Store } from '../../../sandbox/store.ts';
import { aTarget, freePort } from './aTarget.ts';
import type { TestTarget } from './aTarget.ts';

const SPEED = 20;
const request = { accountId: '000000000000', region: 'eu-west-1', requestId: '1' };

let stateDir: string;
let store: Store;
let elb: Elb;
let group: string;
let url: string;
let behind: TestTarget;

beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'elb-'));
  store = await Store.open(stateDir);
  elb = await createElb({ store, clock: createClock(SPEED), recorder: { record: () => undefined } });
  group = await targetGroup();
  url = await listening(group);
  behind = await aTarget('a');
});
afterEach(async () => {
  await elb.close();
  await behind.close();
  await store.close();
  await rm(stateDir, { recursive: true });
});

async function call<T>(operation: string, input: object): Promise<T> {
  const answer: unknown = await elb.service.operations[operation]?.(input as never, request);
  return answer as T;
}

async function targetGroup(): Promise<string> {
  const input = {
    Name: 'web',
    Protocol: 'HTTP',
    Port: 80,
    VpcId: 'vpc-1',
    TargetType: 'ip',
    HealthCheckPath: '/health',
    HealthCheckIntervalSeconds: 5,
  };
  const created = await call<{ TargetGroups: [{ TargetGroupArn: string }] }>('CreateTargetGroup', input);
  const TargetGroupArn = created.TargetGroups[0].TargetGroupArn;
  // Ten seconds are half a second here.
  const Attributes = [{ Key: 'deregistration_delay.timeout_seconds', Value: '10' }];
  await call('ModifyTargetGroupAttributes', { TargetGroupArn, Attributes });
  return TargetGroupArn;
}

async function listening(TargetGroupArn: string): Promise<string> {
  const input = { Name: 'web', Subnets: ['subnet-1', 'subnet-2'] };
  const created = await call<{ LoadBalancers: [{ LoadBalancerArn: string }] }>('CreateLoadBalancer', input);
  const { LoadBalancerArn } = created.LoadBalancers[0];
  const Port = await freePort();
  const DefaultActions = [{ Type: 'forward', TargetGroupArn }];
  await call('CreateListener', { LoadBalancerArn, Protocol: 'HTTP', Port, DefaultActions });
  return `http://127.0.0.1:${Port}`;
}

const address = () => ({ id: '10.0.0.1', port: behind.port });

/** Resolves with the first change to that state. */
function until(state: string): Promise<HealthChange> {
  return new Promise((resolve) => {
    const stop = elb.targets.onHealthChange((change) => {
      if (change.health.state !== state) return;
      stop();
      resolve(change);
    });
  });
}

test('who watches is told when a target gets healthy, unhealthy and leaves', async () => {
  const healthy = until('healthy');
  elb.targets.register(group, address());
  expect(await healthy).toEqual({ targetGroupArn: group, target: address(), health: { state: 'healthy' } });
  const unhealthy = until('unhealthy');
  behind.healthStatus = 503;
  expect((await unhealthy).health.reason).toBe('Target.ResponseCodeMismatch');
  const draining = until('draining');
  const gone = elb.targets.deregister(group, address());
  expect(elb.targets.health(group)).toMatchObject([{ target: address(), health: { state: 'draining' } }]);
  await draining;
  await gone;
  expect(elb.targets.health(group)).toEqual([]);
});

test('deregistering takes the deregistration delay, and longer while a request is under way', async () => {
  const healthy = until('healthy');
  elb.targets.register(group, address());
  await healthy;
  const finish = Promise.withResolvers<void>();
  const arrived = Promise.withResolvers<void>();
  behind.onRequest = async (_request, response) => {
    arrived.resolve();
    await finish.promise;
    response.end('done');
  };
  const slow = fetch(url);
  await arrived.promise;
  const began = performance.now();
  let drained = false;
  const gone = elb.targets.deregister(group, address()).then(() => (drained = true));
  // Another target's whole delay passes meanwhile: this one's is over too, but its request isn't.
  const other = await aTarget('b');
  elb.targets.register(group, { id: '10.0.0.1', port: other.port });
  await elb.targets.deregister(group, { id: '10.0.0.1', port: other.port });
  expect(performance.now() - began).toBeGreaterThan(10_000 / SPEED - 20);
  expect(drained).toBe(false);
  finish.resolve();
  expect(await (await slow).text()).toBe('done');
  expect(await gone).toBe(true);
  await other.close();
});

test('a target that is registered again while it drains takes requests again', async () => {
  const healthy = until('healthy');
  elb.targets.register(group, address());
  await healthy;
  const gone = elb.targets.deregister(group, address());
  const again = until('healthy');
  elb.targets.register(group, address());
  await again;
  expect(await (await fetch(url)).text()).toBe('a');
  await gone;
  expect(elb.targets.health(group)).toMatchObject([{ target: address(), health: { state: 'healthy' } }]);
});

test('deregistering what isn’t there, or from a group that isn’t, is done at once', async () => {
  await elb.targets.deregister(group, address());
  await elb.targets.deregister('arn:of:nothing', address());
  expect(() => elb.targets.register('arn:of:nothing', address())).toThrow(
    "Target group 'arn:of:nothing' not found",
  );
});

test('closing cuts what is under way instead of waiting for its drain', async () => {
  const healthy = until('healthy');
  elb.targets.register(group, address());
  await healthy;
  await call('ModifyTargetGroupAttributes', {
    TargetGroupArn: group,
    Attributes: [{ Key: 'deregistration_delay.timeout_seconds', Value: '3600' }],
  });
  const gone = elb.targets.deregister(group, address());
  await elb.close();
  await expect(gone).resolves.toBeUndefined();
});
