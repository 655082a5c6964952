import { call } from '../shared/call.mjs';
import { serve } from '../shared/serve.mjs';
import { numberSetting, setting } from '../shared/settings.mjs';
import { textOf } from '../shared/text.mjs';
import { excerpt } from './excerpt.mjs';
import { pick } from './pick.mjs';

serve('suggestions', () => {
  const gateway = {
    name: 'model-gateway',
    url: setting('MODEL_GATEWAY_URL'),
    timeout: numberSetting('MODEL_GATEWAY_TIMEOUT_MS', { fallback: 3000, from: 1, to: 60_000 }),
  };
  const style = setting('STYLE', { fallback: 'plain', allowed: ['plain', 'formal'] });

  return {
    'POST /suggest': async ({ body, requestId }) => {
      const prompt = excerpt(textOf(body, 'text'));
      const { id, model, completions } = await call(gateway, '/complete', { prompt }, requestId);
      return { body: { id, model, suggestions: pick(completions, { style, limit: 1 }) } };
    },
  };
});
