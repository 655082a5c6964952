import type { DeploymentReport, PipelineReport } from '../report.ts';
import { outlineOf, type Fact, type Outline, type Table } from './report-outline.ts';

const STYLE = `
:root { color-scheme: light dark; --line: #8884; --good: #1a7f37; --bad: #c6282d; }
@media (prefers-color-scheme: dark) { :root { --good: #3fb950; --bad: #ff7b72; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
section section { margin-top: 3rem; border-left: 3px solid var(--line); padding-left: 1.5rem; }
.good { color: var(--good); } .bad { color: var(--bad); }
.summary { font-size: 1.1rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1.5rem; }
dt { font-weight: 600; } dd { margin: 0; overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid var(--line); padding: .35rem .75rem .35rem 0; text-align: left; vertical-align: top; }
td { overflow-wrap: anywhere; white-space: pre-line; }
`;

/** A run's report as one HTML page that needs nothing else: no script, no font, no image. */
export function reportHtml(report: DeploymentReport | PipelineReport): string {
  const outline = outlineOf(report);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escapeHtml(`${outline.title}: ${outline.outcome}`)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
${section(outline, 1)}
</main>
</body>
</html>
`;
}

function section({ title, outcome, good, summary, facts, tables, inner }: Outline, level: number): string {
  const heading = `h${level}`;
  return [
    '<section>',
    `<${heading}>${escapeHtml(title)}: <span class="${good ? 'good' : 'bad'}">${good ? '✔' : '✘'} ${escapeHtml(outcome)}</span></${heading}>`,
    `<p class="summary">${escapeHtml(summary)}</p>`,
    `<dl>\n${facts.map(fact).join('\n')}\n</dl>`,
    ...tables.map((each) => table(each, level + 1)),
    ...(inner === undefined ? [] : [section(inner, level + 1)]),
    '</section>',
  ].join('\n');
}

function fact({ name, value, code }: Fact): string {
  const shown = code === true ? `<code>${escapeHtml(value)}</code>` : escapeHtml(value);
  return `<dt>${escapeHtml(name)}</dt><dd>${shown}</dd>`;
}

function table({ title, head, rows }: Table, level: number): string {
  const cells = (tag: string, texts: readonly string[]) =>
    texts.map((text) => `<${tag}>${escapeHtml(text)}</${tag}>`).join('');
  return [
    `<h${level}>${escapeHtml(title)}</h${level}>`,
    '<div class="wide"><table>',
    `<thead><tr>${cells('th', head)}</tr></thead>`,
    `<tbody>\n${rows.map((row) => `<tr>${cells('td', row)}</tr>`).join('\n')}\n</tbody>`,
    '</table></div>',
  ].join('\n');
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}
