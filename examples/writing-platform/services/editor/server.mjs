import { readFileSync } from 'node:fs';
import { call } from '../shared/call.mjs';
import { Failure } from '../shared/failure.mjs';
import { serve } from '../shared/serve.mjs';
import { numberSetting, setting } from '../shared/settings.mjs';
import { textOf } from '../shared/text.mjs';

const page = (name) => readFileSync(new URL(`./public/${name}`, import.meta.url), 'utf8');
const SAFETY = { 'content-security-policy': "default-src 'self'", 'referrer-policy': 'no-referrer' };

serve('editor', () => {
  const suggestions = {
    name: 'suggestions',
    url: setting('SUGGESTIONS_URL'),
    timeout: numberSetting('SUGGESTIONS_TIMEOUT_MS', { fallback: 4000, from: 1, to: 60_000 }),
  };
  const features = setting('FEATURES', { fallback: 'suggestions' }).split(',');
  const contact = setting('SUPPORT_CONTACT', { fallback: 'support' });
  const html = { type: 'text/html', body: page('index.html'), headers: SAFETY };
  const script = { type: 'text/javascript', body: page('editor.js') };
  const style = { type: 'text/css', body: page('editor.css') };

  return {
    'GET /': () => html,
    'GET /editor.js': () => script,
    'GET /editor.css': () => style,
    'GET /api/settings': () => ({ body: { features, contact } }),
    'POST /api/suggest': async ({ body, requestId }) => {
      if (!features.includes('suggestions')) throw new Failure(404, 'suggestions are switched off');
      return { body: await call(suggestions, '/suggest', { text: textOf(body, 'text') }, requestId) };
    },
  };
});
