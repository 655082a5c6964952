// Can a writer write, and get suggestions, through all services?
import assert from 'node:assert/strict';
import { ask, check, urlOf } from './check.mjs';

const editor = urlOf('EDITOR_URL');
/** The writer writes on by what was suggested. */
const ROUNDS = 3;

await check({
  "the editor's page and all that it loads are there": async () => {
    const { text } = await ask(editor, '/');
    const loaded = [...text.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path]) => path);
    assert.ok(loaded.length > 0, 'the page loads nothing');
    for (const path of loaded) assert.equal((await ask(editor, path)).status, 200, path);
  },
  'a text grows by suggestions': async () => {
    let text = 'It was a quiet morning, and';
    for (let round = 1; round <= ROUNDS; round += 1) {
      const { status, json } = await ask(editor, '/api/suggest', { text });
      assert.equal(status, 200, json?.error);
      const [suggestion] = json.suggestions;
      assert.match(suggestion, /\w/, 'an empty suggestion');
      text = `${text} ${suggestion}`;
    }
    console.log(`        ${text}`);
  },
  'an empty text is refused with a reason': async () => {
    const { status, json } = await ask(editor, '/api/suggest', { text: '' });
    assert.equal(status, 400);
    assert.match(json.error, /"text" must be a text/);
  },
});
