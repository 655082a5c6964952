import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { afterEach, expect, test } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createNotifyActivities } from '../../../src/activities/notify/activities.ts';
import type { NotifyDependencies } from '../../../src/activities/notify/activities.ts';
import type { Notice } from '../../../src/activities/notify/types.ts';

const NOTICE: Notice = {
  kind: 'waiting',
  platform: 'writing',
  environment: 'production',
  version: '1.4.0',
  text: 'Release 1.4.0 waits for an approval.',
  workflowId: 'writing.deploy.production.1.4.0',
  runId: 'r',
  id: 'r/approval/1',
};
const environment = { HOOK_SECRET: 'key' };
const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function aReceiver(answer: (response: ServerResponse) => void) {
  const received: { headers: IncomingHttpHeaders; body: string }[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      received.push({ headers: request.headers, body });
      answer(response);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { url: `http://127.0.0.1:${address.port}/hook/secret-path`, received };
}
const status = (code: number) => (response: ServerResponse) => void response.writeHead(code).end();

async function notify(
  dependencies: NotifyDependencies,
  logged: unknown[] = [],
  notice = NOTICE,
): Promise<unknown> {
  const record = (...line: unknown[]) => void logged.push(line);
  const ignored = { trace: record, debug: () => undefined, warn: () => undefined, log: record };
  const mock = new MockActivityEnvironment({}, { logger: { ...ignored, info: record, error: record } });
  const activities = createNotifyActivities(dependencies);
  return mock.run(() => activities.notify(notice)).catch((error: unknown) => error);
}

test('posts the notice with a signature over the body and an id to drop repeats by', async () => {
  const { url, received } = await aReceiver(status(204));
  await notify({ webhook: { url, secretVariable: 'HOOK_SECRET' }, environment });
  const [delivery] = received;
  expect(JSON.parse(delivery?.body ?? '')).toEqual(NOTICE);
  const expected = createHmac('sha256', 'key')
    .update(delivery?.body ?? '')
    .digest('hex');
  expect(delivery?.headers).toMatchObject({
    'content-type': 'application/json',
    'x-slipway-signature': `sha256=${expected}`,
    'x-slipway-delivery': NOTICE.id,
  });
});

test('logs the notice, and is done, where there is no webhook', async () => {
  const logged: unknown[] = [];
  expect(await notify({ environment }, logged)).toBeUndefined();
  expect(JSON.stringify(logged)).toContain(NOTICE.text);
});

test('signs nothing where no secret is declared', async () => {
  const { url, received } = await aReceiver(status(200));
  await notify({ webhook: { url }, environment });
  expect(received[0]?.headers).not.toHaveProperty('x-slipway-signature');
});

test.each([
  [400, true],
  [404, true],
  [408, false],
  [429, false],
  [500, false],
  [302, false],
])('an answer of %i is a failure that is permanent: %s', async (code, nonRetryable) => {
  const { url } = await aReceiver((response) => void response.writeHead(code, { location: '/' }).end());
  const error = await notify({ webhook: { url }, environment });
  expect(error).toBeInstanceOf(ApplicationFailure);
  expect(error).toMatchObject({ nonRetryable });
  expect(String(error)).not.toContain('secret-path');
});

test('a receiver that does not answer in time is tried again later', async () => {
  const { url } = await aReceiver(() => undefined);
  const error = await notify({ webhook: { url }, environment, timeout: 50 });
  expect(error).toMatchObject({ type: 'WebhookUnreachable', nonRetryable: false });
});

test('a missing secret sends nothing and says which variable to set', async () => {
  const { url, received } = await aReceiver(status(200));
  const error = await notify({ webhook: { url, secretVariable: 'OTHER' }, environment });
  expect(error).toMatchObject({ type: 'WebhookSecretMissing', nonRetryable: true });
  expect(String(error)).toContain('OTHER');
  expect(received).toEqual([]);
});

test('what is to be agreed to reaches the receiver, and stays out of the log', async () => {
  const { url, received } = await aReceiver(status(204));
  const logged: unknown[] = [];
  const notice = { ...NOTICE, markdown: '### Terraform: 1 to create' };
  await notify({ webhook: { url }, environment }, logged, notice);
  expect(JSON.parse(received[0]?.body ?? '')).toEqual(notice);
  expect(logged).toHaveLength(1);
  expect(JSON.stringify(logged)).not.toContain('1 to create');
});
