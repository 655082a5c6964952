const element = (id) => document.getElementById(id);
const text = element('text');
const button = element('suggest');
const answer = element('suggestion');

const get = async (path) => (await fetch(path)).json();
const { features, contact } = await get('/api/settings');
const { version } = await get('/version');
element('version').textContent = version;
element('contact').textContent = contact;
button.hidden = !features.includes('suggestions');

if (features.includes('word-count')) {
  const count = element('count');
  const show = () => (count.textContent = `${text.value.split(/\s+/).filter(Boolean).length} words`);
  text.addEventListener('input', show);
  count.hidden = false;
  show();
}

async function suggest() {
  button.disabled = true;
  answer.textContent = '';
  try {
    const response = await fetch('/api/suggest', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ text: text.value }),
    });
    const body = await response.json();
    answer.textContent = response.ok ? body.suggestions[0] : body.error;
  } catch {
    answer.textContent = 'No answer. Try again.';
  } finally {
    button.disabled = false;
  }
}

button.addEventListener('click', () => void suggest());
