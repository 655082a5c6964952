import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { serve } from '../shared/serve.mjs';
import { setting } from '../shared/settings.mjs';
import { textOf } from '../shared/text.mjs';
import { createModel } from './model.mjs';

serve('model-gateway', () => {
  const key = setting('MODEL_API_KEY');
  const size = setting('MODEL', { allowed: ['small', 'large'] });
  const complete = createModel(size, readFileSync(new URL('./corpus.txt', import.meta.url), 'utf8'));

  /** Only who has the key can have made an answer's id: what this gateway said can be told from what it did not. */
  const sign = (prompt) => createHmac('sha256', key).update(`${size}\n${prompt}`).digest('hex').slice(0, 32);

  return {
    'POST /complete': ({ body }) => {
      const prompt = textOf(body, 'prompt');
      return { body: { id: sign(prompt), model: size, completions: complete(prompt) } };
    },
  };
});
