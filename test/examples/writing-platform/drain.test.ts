import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { Agent, request } from 'node:http';
import type { Checkouts, RunningService } from './running.ts';
import { KEY, makeCheckouts, post, startService, startStandIn, until } from './running.ts';

let releases: Checkouts;
let folder: string;
beforeAll(async () => {
  releases = await makeCheckouts();
  folder = await releases.checkout('1.0.0');
});
afterAll(() => releases.remove());

const startGateway = (): Promise<RunningService> =>
  startService(folder, 'model-gateway', { MODEL: 'small', MODEL_API_KEY: KEY });

test('a request in progress is finished, and its connection closed', async () => {
  const { promise: asked, resolve } = Promise.withResolvers<ServerResponse>();
  const gateway = await startStandIn((_request, response) => resolve(response));
  const suggestions = await startService(folder, 'suggestions', { MODEL_GATEWAY_URL: gateway.url });
  const answer = post(`${suggestions.url}/suggest`, { text: 'The sea' });
  const held = await asked;
  suggestions.terminate();
  await seen(suggestions, 'draining');
  held.end('{"id":"1","model":"small","completions":["and so on"]}');
  expect((await answer).status).toBe(200);
  expect(await suggestions.exited).toEqual({ code: 0, signal: null });
  await gateway.stop();
});

test('while requests still come in they are served, also on new connections, and health says to send no more', async () => {
  const gateway = await startGateway();
  gateway.terminate();
  await seen(gateway, 'draining');
  const { status, headers } = await post(`${gateway.url}/complete`, { prompt: 'The sea' });
  expect([status, headers.get('connection')]).toEqual([200, 'close']);
  expect((await fetch(`${gateway.url}/health`)).status).toBe(503);
  expect(await gateway.exited).toEqual({ code: 0, signal: null });
});

test('a client that keeps its connections and stops half a second late loses no request', async () => {
  const gateway = await startGateway();
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  const statuses: number[] = [];
  const { promise: late, resolve } = Promise.withResolvers<number>();
  const send = async (stop: Promise<number>): Promise<void> => {
    const end = { at: Number.POSITIVE_INFINITY };
    void stop.then((at) => (end.at = at));
    while (performance.now() < end.at) statuses.push(await get(agent, `${gateway.url}/version`));
  };
  const senders = [send(late), send(late), send(late), send(late)];
  await expectSome(statuses);
  gateway.terminate();
  await seen(gateway, 'draining');
  resolve(performance.now() + 500);
  await Promise.all(senders);
  expect(new Set(statuses)).toEqual(new Set([200]));
  expect(await gateway.exited).toEqual({ code: 0, signal: null });
  agent.destroy();
});

test('idle connections and health checks do not keep it alive for long', async () => {
  const gateway = await startGateway();
  const agent = new Agent({ keepAlive: true });
  await get(agent, `${gateway.url}/version`);
  const started = performance.now();
  gateway.terminate();
  const state = { running: true };
  const exit = gateway.exited.finally(() => (state.running = false));
  while (state.running) await get(agent, `${gateway.url}/health`).catch(() => 0);
  expect(await exit).toEqual({ code: 0, signal: null });
  expect(performance.now() - started).toBeLessThan(3000);
  agent.destroy();
});

async function get(agent: Agent, url: string): Promise<number> {
  const sent = request(url, { agent }).end();
  const [response] = await once(sent, 'response');
  response.resume();
  await once(response, 'end');
  return response.statusCode;
}

/** Waits until the service has logged a message. */
async function seen(service: RunningService, message: string): Promise<void> {
  await until(() => service.logs.some((line) => line['message'] === message));
}

async function expectSome(statuses: readonly number[]): Promise<void> {
  await until(() => statuses.length >= 20);
}
