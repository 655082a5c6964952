import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import { countingProxy } from '../../bench/verdict/counting-proxy.ts';

async function behindProxy(handle: RequestListener) {
  const server = createServer(handle);
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const proxy = await countingProxy(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const close = async () => {
    await proxy.close();
    server.closeAllConnections();
    await new Promise((resolve) => void server.close(resolve));
  };
  const ask = (body: string) =>
    fetch(proxy.url, { method: 'POST', body, headers: { 'x-amz-target': 'Ecs.DescribeServices' } });
  return { proxy, ask, close };
}

test('a call is counted, and gets there and back as it is', async () => {
  const { proxy, ask, close } = await behindProxy((request, response) => {
    response.writeHead(400, { 'x-amzn-requestid': 'r1' });
    request.pipe(response);
  });

  const answer = await ask('{"services":["a"]}');

  expect([answer.status, answer.headers.get('x-amzn-requestid'), await answer.text()]).toEqual([
    400,
    'r1',
    '{"services":["a"]}',
  ]);
  expect(proxy.calls).toEqual([{ at: expect.any(Number), operation: 'DescribeServices' }]);
  await close();
});

test('a call whose answer is cut off is cut off, and counted', async () => {
  const { proxy, ask, close } = await behindProxy((request) => request.socket.destroy());

  await expect(ask('{}')).rejects.toThrow('fetch failed');

  expect(proxy.calls).toHaveLength(1);
  await close();
});
