import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ServerResponse } from 'node:http';
import type { Checkouts, RunningPlatform } from './running.ts';
import { KEY, makeCheckouts, post, startPlatform, startService, startStandIn, until } from './running.ts';

let releases: Checkouts;
let folder: string;
beforeAll(async () => {
  releases = await makeCheckouts();
  folder = await releases.checkout('1.0.0');
});
afterAll(() => releases.remove());

describe('the three services together', () => {
  let platform: RunningPlatform;
  beforeAll(async () => {
    platform = await startPlatform(folder, '1.0.0');
  });
  afterAll(() => platform.stop());

  test('a text gets a suggestion that comes from the model', async () => {
    const { status, body } = await post(`${platform.editor.url}/api/suggest`, { text: 'The sea' });
    const gateway = await post(`${platform.gateway.url}/complete`, { prompt: 'The sea' });
    expect(status).toBe(200);
    expect(body).toMatchObject({ model: 'small', id: gateway.body['id'] });
    expect(gateway.body['completions']).toEqual(expect.arrayContaining([body['suggestions']].flat()));
  });

  test.each(['The page', 'now', 'by then.', '12', '?!', 'the reader, and the'])(
    'after "%s" there are sentences that begin with a word',
    async (prompt) => {
      const { body } = await post(`${platform.gateway.url}/complete`, { prompt });
      const completions = [body['completions']].flat();
      expect(completions.length).toBeGreaterThan(0);
      for (const completion of completions) expect(completion).toMatch(/^[a-z']+( |,|\.|$)/);
    },
  );

  test('one request has one id in the logs of all services', async () => {
    const { headers } = await post(`${platform.editor.url}/api/suggest`, { text: 'It was' });
    const requestId = headers.get('x-request-id');
    expect(requestId).toMatch(/^[0-9a-f-]{36}$/);
    for (const service of [platform.editor, platform.suggestions, platform.gateway]) {
      await until(() =>
        service.logs.some((line) => line['requestId'] === requestId && line['status'] === 200),
      );
    }
  });

  test.each([
    ['no JSON', 'text', 400],
    ['no text', { text: 1 }, 400],
    ['a text that is too long', { text: 'a'.repeat(10_001) }, 400],
    ['a body that is too large', { text: 'a'.repeat(70_000) }, 413],
  ])('a request with %s is refused with a reason', async (_, body, status) => {
    const answer = await post(`${platform.editor.url}/api/suggest`, body);
    expect(answer).toMatchObject({ status, body: { error: expect.any(String) } });
  });

  test('a path that is none and a method that is none do no harm', async () => {
    expect((await fetch(`${platform.editor.url}//`)).status).toBe(404);
    const wrong = await fetch(`${platform.editor.url}/api/suggest`);
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'POST']);
    expect((await fetch(`${platform.editor.url}/health`)).status).toBe(200);
  });

  test('the key of the model is in no log and no answer', async () => {
    const { body } = await post(`${platform.gateway.url}/complete`, { prompt: 'The sea' });
    expect(JSON.stringify(body)).not.toContain(KEY);
    expect(platform.gateway.output()).not.toContain(KEY);
    expect(platform.gateway.logs.length).toBeGreaterThan(0);
  });
});

describe('settings', () => {
  test('the gateway does not start without its key', async () => {
    await expect(startService(folder, 'model-gateway', { MODEL: 'small' })).rejects.toThrow(
      /ended with 1.*MODEL_API_KEY is not set/,
    );
  });

  test('a model that there is not is refused with those that there are', async () => {
    const environment = { MODEL: 'huge', MODEL_API_KEY: KEY };
    await expect(startService(folder, 'model-gateway', environment)).rejects.toThrow(/allowed: small, large/);
  });

  test('the large model gives other answers than the small one', async () => {
    const answers = [];
    for (const MODEL of ['small', 'large']) {
      const gateway = await startService(folder, 'model-gateway', { MODEL, MODEL_API_KEY: KEY });
      answers.push((await post(`${gateway.url}/complete`, { prompt: 'Once upon a' })).body['completions']);
      await gateway.stop();
    }
    expect(answers[1]).toEqual(['time there was a house with a green door.']);
    expect(answers[0]).not.toEqual(answers[1]);
  });

  test('suggestions that are switched off are not asked for', async () => {
    const environment = { SUGGESTIONS_URL: 'http://127.0.0.1:9', FEATURES: 'word-count' };
    const editor = await startService(folder, 'editor', environment);
    expect(await post(`${editor.url}/api/suggest`, { text: 'The sea' })).toMatchObject({ status: 404 });
    await editor.stop();
  });
});

describe('a service that is called fails', () => {
  const cases: [string, (response: ServerResponse) => void, number][] = [
    ['its error is a 502', (response) => response.writeHead(500).end('{"error":"broken"}'), 502],
    ['its nonsense is a 502', (response) => response.writeHead(200).end('<html>'), 502],
    ['its broken connection is a 502', (response) => response.destroy(), 502],
    ['its 504 is handed on', (response) => response.writeHead(504).end('{"error":"no answer"}'), 504],
    ['its refusal is handed on', (response) => response.writeHead(400).end('{"error":"bad"}'), 400],
    ['its silence is a 504', () => {}, 504],
  ];
  test.each(cases)('%s', async (_, respond, status) => {
    const gateway = await startStandIn((_request, response) => respond(response));
    const suggestions = await startService(folder, 'suggestions', {
      MODEL_GATEWAY_URL: gateway.url,
      MODEL_GATEWAY_TIMEOUT_MS: '300',
    });
    const answer = await post(`${suggestions.url}/suggest`, { text: 'The sea' });
    expect(answer).toMatchObject({ status, body: { error: expect.stringMatching(/^model-gateway: /) } });
    await Promise.all([gateway.stop(), suggestions.stop()]);
  });

  test('a connection that broke once is made again', async () => {
    let requests = 0;
    const gateway = await startStandIn((_request, response) => {
      requests += 1;
      if (requests === 1) response.destroy();
      else response.end('{"id":"1","model":"small","completions":["and so on"]}');
    });
    const suggestions = await startService(folder, 'suggestions', { MODEL_GATEWAY_URL: gateway.url });
    const { body } = await post(`${suggestions.url}/suggest`, { text: 'The sea' });
    expect(body['suggestions']).toEqual(['and so on']);
    await Promise.all([gateway.stop(), suggestions.stop()]);
  });
});
