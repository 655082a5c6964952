// Does each service keep its agreement with the one that calls it, for good requests and for bad ones?
import assert from 'node:assert/strict';
import { ask, check, urlOf } from './check.mjs';

const suggestions = urlOf('SUGGESTIONS_URL');
const gateway = urlOf('MODEL_GATEWAY_URL');

const isTexts = (value) =>
  Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === 'string');

await check({
  'the gateway completes a prompt': async () => {
    const { status, json } = await ask(gateway, '/complete', { prompt: 'It was a' });
    assert.equal(status, 200, json?.error);
    assert.ok(isTexts(json.completions), `no completions: ${JSON.stringify(json)}`);
    assert.match(json.model, /^(small|large)$/);
    assert.match(json.id, /^[0-9a-f]{32}$/);
  },
  'the gateway answers the same prompt in the same way': async () => {
    const [first, second] = [
      await ask(gateway, '/complete', { prompt: 'The reader' }),
      await ask(gateway, '/complete', { prompt: 'The reader' }),
    ];
    assert.equal(first.status, 200, first.json?.error);
    assert.deepEqual(first.json, second.json);
  },
  'the gateway refuses a request without a prompt': async () => {
    const { status, json } = await ask(gateway, '/complete', { text: 'It was a' });
    assert.equal(status, 400);
    assert.match(json.error, /"prompt"/);
  },
  "the suggestions come from the gateway's completions": async () => {
    const text = 'The sea';
    const { status, json } = await ask(suggestions, '/suggest', { text });
    assert.equal(status, 200, json?.error);
    assert.ok(isTexts(json.suggestions), `no suggestions: ${JSON.stringify(json)}`);
    const completed = await ask(gateway, '/complete', { prompt: text });
    assert.equal(json.id, completed.json.id);
    assert.equal(json.model, completed.json.model);
  },
  'the suggestions refuse an empty text': async () => {
    const { status, json } = await ask(suggestions, '/suggest', { text: ' ' });
    assert.equal(status, 400);
    assert.match(json.error, /"text"/);
  },
});
