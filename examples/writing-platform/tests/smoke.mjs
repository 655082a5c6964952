// Is the release that was deployed there, in all services, and healthy?
import assert from 'node:assert/strict';
import { ask, check, urlOf } from './check.mjs';

const services = {
  editor: urlOf('EDITOR_URL'),
  suggestions: urlOf('SUGGESTIONS_URL'),
  'model-gateway': urlOf('MODEL_GATEWAY_URL'),
};
const expected = process.env.EXPECTED_VERSION;

const perService = Object.entries(services).flatMap(([service, url]) => [
  [
    `${service} is healthy`,
    async () => {
      const { status, json } = await ask(url, '/health');
      assert.equal(status, 200);
      assert.deepEqual(json, { status: 'ok' });
    },
  ],
  [
    `${service} serves version ${expected}`,
    async () => {
      assert.ok(expected, 'EXPECTED_VERSION is not set');
      const { json } = await ask(url, '/version');
      assert.equal(json.service, service);
      assert.equal(json.version, expected);
      assert.match(json.commit, /^[0-9a-f]{40,64}$/);
    },
  ],
]);

await check({
  ...Object.fromEntries(perService),
  'the editor shows its page': async () => {
    const { status, type, text } = await ask(services.editor, '/');
    assert.equal(status, 200);
    assert.match(type, /^text\/html/);
    assert.match(text, /<textarea[^>]*id="text"/);
  },
});
