import type { DeploymentReport, PipelineReport } from '../report.ts';
import { outlineOf, type Fact, type Outline, type Table } from './report-outline.ts';

/** A run's report as Markdown (GitHub's). Texts of people and of outside systems are escaped: they cannot change its form. */
export function reportMarkdown(report: DeploymentReport | PipelineReport): string {
  return `${section(outlineOf(report), 1).join('\n')}\n`;
}

function section({ title, outcome, good, summary, facts, tables, inner }: Outline, level: number): string[] {
  return [
    `${'#'.repeat(level)} ${good ? '✔' : '✘'} ${escape(title)}: ${escape(outcome)}`,
    '',
    escape(summary),
    '',
    ...facts.map(fact),
    ...tables.flatMap((each) => table(each, level + 1)),
    ...(inner === undefined ? [] : ['', ...section(inner, level + 1)]),
  ];
}

function fact({ name, value, code }: Fact): string {
  return `- **${name}:** ${code === true ? codeSpan(value) : escape(value)}`;
}

function table({ title, head, rows }: Table, level: number): string[] {
  const row = (cells: readonly string[]) => `| ${cells.map(escape).join(' | ')} |`;
  return [
    '',
    `${'#'.repeat(level)} ${title}`,
    '',
    row(head),
    `|${' --- |'.repeat(head.length)}`,
    ...rows.map(row),
  ];
}

/**
 * Plain text in one line of Markdown. HTML's `&` and `<` become entities; what else could begin a span, a cell, a link or
 * a mention is escaped by a backslash; a bare URL stays one.
 */
function escape(text: string): string {
  return text
    .replaceAll(/\s+/g, ' ')
    .trim()
    .replaceAll(/[\\`*_[\]|~#]/g, String.raw`\$&`)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('@', '&#64;')
    .replace(/^([-+=>]|\d+[.)](?=\s))/, (mark) =>
      /^\d/.test(mark) ? mark.replace(/[.)]/, String.raw`\$&`) : `\\${mark}`,
    );
}

/** A code span whose fence is longer than any run of backticks in it (CommonMark 6.1). */
function codeSpan(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ');
  const longest = Math.max(0, ...[...line.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  const pad = longest > 0 ? ' ' : '';
  return `${fence}${pad}${line}${pad}${fence}`;
}
