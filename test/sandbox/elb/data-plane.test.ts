import { Agent, request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import {
  CreateRuleCommand,
  DeregisterTargetsCommand,
  DescribeTargetHealthCommand,
  ModifyListenerCommand,
  ModifyLoadBalancerAttributesCommand,
  ModifyTargetGroupAttributesCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import type { Action, RuleCondition } from '@aws-sdk/client-elastic-load-balancing-v2';
import { aSandbox } from '../aSandbox.ts';
import type { TestSandbox } from '../aSandbox.ts';
import { aLoadBalancer } from './aLoadBalancer.ts';
import type { TestLoadBalancer } from './aLoadBalancer.ts';
import { aTarget } from './aTarget.ts';
import type { TestTarget } from './aTarget.ts';

let sandbox: TestSandbox;
const targets: TestTarget[] = [];
beforeAll(async () => {
  sandbox = await aSandbox({ speed: 50 });
});
afterEach(async () => {
  await Promise.all(targets.splice(0).map((one) => one.close()));
});
afterAll(() => sandbox.close());

async function target(name: string): Promise<TestTarget> {
  const made = await aTarget(name);
  targets.push(made);
  return made;
}

async function serving(...names: string[]): Promise<{ lb: TestLoadBalancer; behind: TestTarget[] }> {
  const lb = await aLoadBalancer(sandbox);
  const behind = await Promise.all(names.map(target));
  const ports = behind.map(({ port }) => port);
  await lb.register(lb.groups[0], ...ports);
  await lb.untilHealth(lb.groups[0], Object.fromEntries(ports.map((port) => [port, 'healthy'])));
  return { lb, behind };
}

const body = async (url: string, init?: RequestInit): Promise<string> => (await fetch(url, init)).text();

async function tally(times: number, ask: () => Promise<string>): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (let i = 0; i < times; i++) {
    const answer = await ask();
    counts[answer] = (counts[answer] ?? 0) + 1;
  }
  return counts;
}

const weights = (lb: TestLoadBalancer, blue: number, green: number, sticky = false): Action[] => [
  {
    Type: 'forward',
    ForwardConfig: {
      TargetGroups: [
        { TargetGroupArn: lb.groups[0], Weight: blue },
        { TargetGroupArn: lb.groups[1], Weight: green },
      ],
      ...(sticky ? { TargetGroupStickinessConfig: { Enabled: true, DurationSeconds: 60 } } : {}),
    },
  },
];

const rule = (lb: TestLoadBalancer, Priority: number, Conditions: RuleCondition[], Actions: Action[]) =>
  lb.elb.send(new CreateRuleCommand({ ListenerArn: lb.listenerArn, Priority, Conditions, Actions }));

test('healthy targets are taken in turn', async () => {
  const { lb } = await serving('a', 'b', 'c');
  expect(await tally(30, () => body(lb.url))).toEqual({ a: 10, b: 10, c: 10 });
});

test('the target is told who asked, and gets method, path, headers and body as they came', async () => {
  const { lb, behind } = await serving('a');
  let seen: unknown;
  behind[0]!.onRequest = async (request, response) => {
    const { method, url, headers } = request;
    seen = { method, url, headers, body: await text(request) };
    response.writeHead(201, { 'x-answer': 'yes' }).end('made');
  };
  const answer = await fetch(`${lb.url}/v1/things?x=1`, {
    method: 'POST',
    body: 'ä'.repeat(50_000),
    headers: { 'x-own': 'mine', 'x-forwarded-for': '9.9.9.9' },
  });

  expect([answer.status, answer.headers.get('x-answer'), await answer.text()]).toEqual([201, 'yes', 'made']);
  expect(seen).toMatchObject({
    method: 'POST',
    url: '/v1/things?x=1',
    body: 'ä'.repeat(50_000),
    headers: {
      host: `127.0.0.1:${lb.port}`,
      'x-own': 'mine',
      'x-forwarded-for': '9.9.9.9, 127.0.0.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-port': String(lb.port),
      'x-amzn-trace-id': expect.stringMatching(/^Root=1-[0-9a-f]{8}-[0-9a-f]{24}$/),
    },
  });
});

test('HEAD, empty answers and bodies of unknown length pass as they are', async () => {
  const { lb, behind } = await serving('a');
  behind[0]!.onRequest = async (request, response) => {
    if (request.method === 'HEAD') return response.writeHead(200, { 'content-length': 1234 }).end();
    if (request.method === 'DELETE') return response.writeHead(204).end();
    return response.end(`${request.headers['transfer-encoding']} ${(await text(request)).length}`);
  };
  const head = await fetch(lb.url, { method: 'HEAD' });
  expect([head.status, head.headers.get('content-length')]).toEqual([200, '1234']);
  expect((await fetch(lb.url, { method: 'DELETE' })).status).toBe(204);
  const parts = new ReadableStream({
    start(controller) {
      for (let i = 0; i < 10; i++) controller.enqueue(new TextEncoder().encode('x'.repeat(10_000)));
      controller.close();
    },
  });
  expect(await body(lb.url, { method: 'POST', body: parts, duplex: 'half' })).toBe('chunked 100000');
});

test('a client that goes away takes its request to the target with it', async () => {
  const { lb, behind } = await serving('a');
  const arrived = Promise.withResolvers<void>();
  const cut = Promise.withResolvers<void>();
  behind[0]!.onRequest = (_request, response) => {
    response.on('close', () => cut.resolve());
    arrived.resolve();
  };
  const leaving = new AbortController();
  const asked = fetch(lb.url, { signal: leaving.signal });
  await arrived.promise;
  leaving.abort(new Error('gone'));
  await expect(asked).rejects.toThrow('gone');
  await cut.promise;
  behind[0]!.onRequest = (_request, response) => response.end('next');
  expect(await body(lb.url)).toBe('next');
});

test('an answer streams through as it is written', async () => {
  const { lb, behind } = await serving('a');
  const second = Promise.withResolvers<void>();
  behind[0]!.onRequest = async (_request, response) => {
    response.write('first');
    await second.promise;
    response.end('second');
  };
  const reader = (await fetch(lb.url)).body!.getReader();
  const decode = async (): Promise<string> => new TextDecoder().decode((await reader.read()).value);
  expect(await decode()).toBe('first');
  second.resolve();
  expect(await decode()).toBe('second');
});

test('a target that fails its checks gets nothing until it has passed them again', async () => {
  const { lb, behind } = await serving('a', 'b');
  const [a, b] = behind as [TestTarget, TestTarget];
  a.healthStatus = 500;
  await lb.untilHealth(lb.groups[0], { [a.port]: 'unhealthy', [b.port]: 'healthy' });
  expect(await tally(10, () => body(lb.url))).toEqual({ b: 10 });
  const { TargetHealthDescriptions } = await lb.elb.send(
    new DescribeTargetHealthCommand({
      TargetGroupArn: lb.groups[0],
      Targets: [{ Id: '10.0.0.1', Port: a.port }],
    }),
  );
  expect(TargetHealthDescriptions?.[0]?.TargetHealth).toMatchObject({
    Reason: 'Target.ResponseCodeMismatch',
    Description: 'Health checks failed with these codes: [500]',
  });
  a.healthStatus = 200;
  await lb.untilHealth(lb.groups[0], { [a.port]: 'healthy', [b.port]: 'healthy' });
  expect(await tally(10, () => body(lb.url))).toEqual({ a: 5, b: 5 });
});

test('when every target is unhealthy all of them are tried', async () => {
  const { lb, behind } = await serving('a');
  behind[0]!.healthStatus = 500;
  await lb.untilHealth(lb.groups[0], { [behind[0]!.port]: 'unhealthy' });
  expect(await body(lb.url)).toBe('a');
});

test('without targets it answers 503, with a dead one 502', async () => {
  const { lb, behind } = await serving('a');
  await behind[0]!.close();
  expect((await fetch(lb.url)).status).toBe(502);
  const empty = await aLoadBalancer(sandbox);
  const answer = await fetch(empty.url);
  expect([answer.status, answer.headers.get('server')]).toEqual([503, 'awselb/2.0']);
});

test('a target that breaks off gives 502, one that is silent 504', async () => {
  const { lb, behind } = await serving('a');
  behind[0]!.onRequest = (request) => request.socket.destroy();
  expect((await fetch(lb.url, { method: 'POST', body: 'x' })).status).toBe(502);
  const Attributes = [{ Key: 'idle_timeout.timeout_seconds', Value: '1' }];
  await lb.elb.send(
    new ModifyLoadBalancerAttributesCommand({ LoadBalancerArn: lb.loadBalancerArn, Attributes }),
  );
  behind[0]!.onRequest = () => undefined;
  expect((await fetch(lb.url)).status).toBe(504);
});

test('an answer that breaks off in the middle reaches the client as broken, not as complete', async () => {
  const { lb, behind } = await serving('a');
  behind[0]!.onRequest = (request, response) => {
    response.write('half', () => request.socket.destroy());
  };
  await expect(body(lb.url)).rejects.toThrow('terminated');
  behind[0]!.onRequest = (_request, response) => response.end('whole');
  expect(await body(lb.url)).toBe('whole');
});

test('weights divide the requests, and take effect at once', async () => {
  const { lb } = await serving('blue');
  const green = await target('green');
  await lb.elb.send(
    new ModifyListenerCommand({ ListenerArn: lb.listenerArn, DefaultActions: weights(lb, 90, 10) }),
  );
  await lb.register(lb.groups[1], green.port);
  await lb.untilHealth(lb.groups[1], { [green.port]: 'healthy' });
  const counts = await tally(400, () => body(lb.url));
  // 40 are expected; six standard deviations are 36.
  expect(counts['green']).toBeGreaterThan(3);
  expect(counts['green']).toBeLessThan(77);

  await lb.elb.send(
    new ModifyListenerCommand({ ListenerArn: lb.listenerArn, DefaultActions: weights(lb, 0, 1) }),
  );
  expect(await tally(20, () => body(lb.url))).toEqual({ green: 20 });
});

test('with sticky groups a client stays on the version that it got', async () => {
  const { lb } = await serving('blue');
  const green = await target('green');
  await lb.elb.send(
    new ModifyListenerCommand({ ListenerArn: lb.listenerArn, DefaultActions: weights(lb, 1, 1, true) }),
  );
  await lb.register(lb.groups[1], green.port);
  await lb.untilHealth(lb.groups[1], { [green.port]: 'healthy' });
  const first = await fetch(lb.url);
  const version = await first.text();
  const cookie = first.headers
    .getSetCookie()
    .map((one) => one.split(';')[0])
    .join('; ');
  expect(cookie).toContain('AWSALBTG=');
  expect(await tally(20, () => body(lb.url, { headers: { cookie } }))).toEqual({ [version]: 20 });
});

test('with a sticky group a client stays on its target while that is healthy', async () => {
  const { lb, behind } = await serving('a', 'b');
  const Attributes = [{ Key: 'stickiness.enabled', Value: 'true' }];
  await lb.elb.send(new ModifyTargetGroupAttributesCommand({ TargetGroupArn: lb.groups[0], Attributes }));
  const first = await fetch(lb.url);
  const name = await first.text();
  const cookie = first.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  expect(await tally(10, () => body(lb.url, { headers: { cookie } }))).toEqual({ [name]: 10 });
  const mine = behind[name === 'a' ? 0 : 1]!;
  const Targets = [{ Id: '10.0.0.1', Port: mine.port }];
  await lb.elb.send(new DeregisterTargetsCommand({ TargetGroupArn: lb.groups[0], Targets }));
  expect(await body(lb.url, { headers: { cookie } })).toBe(name === 'a' ? 'b' : 'a');
});

test('rules are tried by priority: path, host, header, method, query', async () => {
  const { lb } = await serving('default');
  const fixed = (MessageBody: string): Action[] => [
    {
      Type: 'fixed-response',
      FixedResponseConfig: { StatusCode: '200', ContentType: 'text/plain', MessageBody },
    },
  ];
  await rule(lb, 40, [{ Field: 'path-pattern', Values: ['/api/*'] }], fixed('path'));
  await rule(lb, 30, [{ Field: 'host-header', Values: ['*.Example.com'] }], fixed('host'));
  await rule(
    lb,
    20,
    [{ Field: 'http-header', HttpHeaderConfig: { HttpHeaderName: 'X-Canary', Values: ['tr?e'] } }],
    fixed('header'),
  );
  await rule(
    lb,
    10,
    [
      { Field: 'http-request-method', HttpRequestMethodConfig: { Values: ['DELETE'] } },
      { Field: 'query-string', QueryStringConfig: { Values: [{ Key: 'force', Value: 'yes' }] } },
    ],
    fixed('both'),
  );
  expect(await body(lb.url)).toBe('default');
  expect(await body(`${lb.url}/api/x`)).toBe('path');
  expect(await body(`${lb.url}/API/x`)).toBe('default');
  expect(await withHost(lb.port, 'www.example.com')).toBe('host');
  expect(await body(`${lb.url}/api/x`, { headers: { 'x-canary': 'true' } })).toBe('header');
  expect(await body(`${lb.url}/api/x?force=yes`, { method: 'DELETE' })).toBe('both');
  expect(await body(`${lb.url}/api/x?force=no`, { method: 'DELETE' })).toBe('path');
});

function withHost(port: number, host: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = httpRequest({ host: '127.0.0.1', port, headers: { host } }, (answer) =>
      resolve(text(answer)),
    );
    asked.on('error', reject).end();
  });
}

test('a redirect keeps what it isn’t told to change', async () => {
  const { lb } = await serving('a');
  const config = { Path: '/new/#{path}', StatusCode: 'HTTP_301' } as const;
  await rule(
    lb,
    1,
    [{ Field: 'path-pattern', Values: ['/old*'] }],
    [{ Type: 'redirect', RedirectConfig: config }],
  );
  const answer = await fetch(`${lb.url}/old/page?q=1`, { redirect: 'manual' });
  expect([answer.status, answer.headers.get('location')]).toEqual([301, `${lb.url}/new/old/page?q=1`]);
});

test('under load, targets come and go without one failed request', async () => {
  const { lb, behind } = await serving('a', 'b');
  const agent = new Agent({ keepAlive: true });
  const failures: string[] = [];
  const running = new AbortController();
  let served = 0;
  const client = async (method: 'GET' | 'POST'): Promise<void> => {
    while (!running.signal.aborted) {
      const outcome = await once(lb.port, agent, method);
      if (outcome === '200') served += 1;
      else failures.push(`${method} ${outcome}`);
    }
  };
  const more = async (): Promise<void> => {
    const enough = served + 30;
    const deadline = Date.now() + 10_000;
    for (;;) {
      if (served >= enough) return;
      if (Date.now() > deadline || failures.length > 0)
        throw new Error(`Served ${served}, failed: ${failures.join()}`);
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    }
  };
  const clients = [client('GET'), client('GET'), client('GET'), client('POST')];
  let [old, other] = behind as [TestTarget, TestTarget];
  for (let i = 0; i < 6; i++) {
    const fresh = await target(`fresh-${i}`);
    await lb.register(lb.groups[0], fresh.port);
    await lb.untilHealth(lb.groups[0], {
      [old.port]: 'healthy',
      [other.port]: 'healthy',
      [fresh.port]: 'healthy',
    });
    await more();
    const Targets = [{ Id: '10.0.0.1', Port: old.port }];
    await lb.elb.send(new DeregisterTargetsCommand({ TargetGroupArn: lb.groups[0], Targets }));
    await lb.untilHealth(lb.groups[0], { [other.port]: 'healthy', [fresh.port]: 'healthy' });
    await old.close();
    await more();
    [old, other] = [other, fresh];
  }
  running.abort();
  await Promise.all(clients);
  agent.destroy();
  expect(failures).toEqual([]);
  expect(served).toBeGreaterThanOrEqual(360);
});

function once(port: number, agent: Agent, method: 'GET' | 'POST'): Promise<string> {
  return new Promise((resolve) => {
    const asked = httpRequest({ host: '127.0.0.1', port, agent, method }, (answer) => {
      answer.resume().on('end', () => resolve(String(answer.statusCode)));
    });
    asked.on('error', (error) => resolve(error.message)).end(method === 'POST' ? 'x' : undefined);
  });
}

test('a draining target ends what it has begun, and gets nothing new', async () => {
  const { lb, behind } = await serving('a');
  const [a] = behind as [TestTarget];
  const arrived = Promise.withResolvers<void>();
  const finish = Promise.withResolvers<void>();
  a.onRequest = async (_request, response) => {
    arrived.resolve();
    await finish.promise;
    response.end('late, but whole');
  };
  const slow = body(lb.url);
  await arrived.promise;
  const Targets = [{ Id: '10.0.0.1', Port: a.port }];
  await lb.elb.send(new DeregisterTargetsCommand({ TargetGroupArn: lb.groups[0], Targets }));
  await lb.untilHealth(lb.groups[0], { [a.port]: 'draining' });
  expect((await fetch(lb.url)).status).toBe(503);
  finish.resolve();
  expect(await slow).toBe('late, but whole');
  await lb.untilHealth(lb.groups[0], {});
});

test('a kept connection that the target closes as a request comes costs no GET, and no POST is sent twice', async () => {
  const { lb, behind } = await serving('a');
  const seen = new Map<string, number>();
  const byConnection = new WeakMap<object, number>();
  // From the second request on a connection on, it is cut without an answer: what a server's idle timeout looks like.
  behind[0]!.onRequest = (request, response) => {
    const id = String(request.headers['x-id']);
    seen.set(id, (seen.get(id) ?? 0) + 1);
    const before = byConnection.get(request.socket) ?? 0;
    byConnection.set(request.socket, before + 1);
    if (before > 0) request.socket.destroy();
    else response.end('ok');
  };
  for (let i = 0; i < 10; i++) {
    expect(await body(lb.url, { headers: { 'x-id': `get-${i}` } })).toBe('ok');
    expect(await body(lb.url, { method: 'POST', body: 'x', headers: { 'x-id': `post-${i}` } })).toBe('ok');
  }
  for (let i = 0; i < 10; i++) expect(seen.get(`post-${i}`)).toBe(1);
});

test('what isn’t HTTP is refused and leaves the listener standing', async () => {
  const { lb } = await serving('a');
  const answer = await new Promise<string>((resolve) => {
    const socket = connect(lb.port, '127.0.0.1', () => socket.end('nonsense\r\n\r\n'));
    resolve(text(socket));
  });
  expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  expect(await body(lb.url)).toBe('a');
});
