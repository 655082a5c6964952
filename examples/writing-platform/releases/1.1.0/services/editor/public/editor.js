const element = (id) => document.getElementById(id);
const text = element('text');
const button = element('suggest');
const answer = element('suggestions');

const get = async (path) => (await fetch(path)).json();
const { features, contact } = await get('/api/settings');
const { version } = await get('/version');
element('version').textContent = version;
element('contact').textContent = contact;
button.hidden = !features.includes('suggestions');

if (features.includes('word-count')) {
  const count = element('count');
  const recount = () => (count.textContent = `${text.value.split(/\s+/).filter(Boolean).length} words`);
  text.addEventListener('input', recount);
  count.hidden = false;
  recount();
}

function show(lines) {
  const items = lines.map((line) => {
    const item = document.createElement('li');
    item.textContent = line;
    return item;
  });
  answer.replaceChildren(...items);
}

async function suggest() {
  button.disabled = true;
  answer.replaceChildren();
  try {
    const response = await fetch('/api/suggest', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ text: text.value }),
    });
    const body = await response.json();
    show(response.ok ? body.suggestions : [body.error]);
  } catch {
    show(['No answer. Try again.']);
  } finally {
    button.disabled = false;
  }
}

button.addEventListener('click', () => void suggest());
