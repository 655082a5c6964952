import type { DeploymentReport, PipelineReport } from '../report.ts';
import { codeSpan, escapeMarkdown, markdownTable } from './markdown.ts';
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
