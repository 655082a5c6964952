import type { DeploymentReport, PipelineReport } from '../report.ts';
import { escapeMarkdown, markdownTable } from './markdown.ts';
import { outlineOf, type Fact, type Outline, type Table } from './report-outline.ts';

/** A run's report as Markdown (GitHub's). Texts of people and of outside systems are escaped: they cannot change its form. */
export function reportMarkdown(report: DeploymentReport | PipelineReport): string {
  return `${section(outlineOf(report), 1).join('\n')}\n`;
}

function section({ title, outcome, good, summary, facts, tables, inner }: Outline, level: number): string[] {
  return [
    `${'#'.repeat(level)} ${good ? '✔' : '✘'} ${escapeMarkdown(title)}: ${escapeMarkdown(outcome)}`,
    '',
    escapeMarkdown(summary),
    '',
    ...facts.map(fact),
    ...tables.flatMap((each) => table(each, level + 1)),
    ...(inner === undefined ? [] : ['', ...section(inner, level + 1)]),
  ];
}

function fact({ name, value, code }: Fact): string {
  return `- **${name}:** ${code === true ? codeSpan(value) : escapeMarkdown(value)}`;
}

function table({ title, head, rows }: Table, level: number): string[] {
  return ['', `${'#'.repeat(level)} ${title}`, '', ...markdownTable(head, rows)];
}

/** A code span whose fence is longer than any run of backticks in it (CommonMark 6.1). */
function codeSpan(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ');
  const longest = Math.max(0, ...[...line.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  const pad = longest > 0 ? ' ' : '';
  return `${fence}${pad}${line}${pad}${fence}`;
}
