import { utf8ToBytes } from '@noble/hashes/utils.js';
import { entriesOf, KINDS } from './display.ts';
import type { Entry } from './display.ts';
import { fit } from './fit.ts';
import type { Fitted } from './fit.ts';
import type { PlanJson } from './plan.ts';
import { secretsOf } from './secrets.ts';
import { summaryOf } from './summary.ts';

/** Bytes of UTF-8. */
const LIMIT = 8192;
/** For the headings and fences of all sections, and the last line. */
const FRAME = 600;
const INDENT = '    ';
/** Only a line that begins with it closes a block, and each of ours begins with a sign, an address, or four spaces. */
const FENCE = '```';

/** `diff` colours a line by its first character. */
const SECTIONS: Readonly<Record<Entry['kind'], { readonly title: string; readonly sign: string }>> = {
  destroy: { title: 'Destroys', sign: '-' },
  replace: { title: 'Replaces', sign: '-/+' },
  change: { title: 'Changes', sign: '!' },
  create: { title: 'Creates', sign: '+' },
  other: { title: 'Other', sign: ' ' },
  output: { title: 'Outputs', sign: ' ' },
};

/**
 * A plan in Markdown for who approves it, at most 8 KB: counts, what others changed, failed checks, then a section for each kind of
 * change, the most dangerous first. All that the plan says stands in fenced blocks, so that no value can pass for
 * something else. Secrets are masked as by `render`.
 * @param known secrets that the caller knows of, beside those that the plan marks
 */
export function renderMarkdown(plan: PlanJson, known?: ReadonlySet<string>): string {
  const { counts, drift, checks } = summaryOf(plan, known);
  const entries = entriesOf(plan, secretsOf(plan, known));
  const room = LIMIT - FRAME - utf8ToBytes([...drift, ...checks].join('\n')).length;
  const fitted = fit(entries, room, INDENT.length + 1);
  const totals = new Map(KINDS.map((kind) => [kind, entries.filter((entry) => entry.kind === kind).length]));
  const blocks = [
    { title: 'Changed outside of Terraform since the last apply', language: 'text', lines: drift },
    { title: 'Failed checks', language: 'text', lines: checks },
    ...KINDS.map((kind) => ({
      title: `${SECTIONS[kind].title} (${totals.get(kind) ?? 0})`,
      language: 'diff',
      lines: linesOf(kind, fitted),
    })),
  ].filter(({ lines }) => lines.length > 0);
  return [
    `### Terraform: ${counts}`,
    ...blocks.map(({ title, language, lines }) =>
      [`**${title}**`, '', `${FENCE}${language}`, ...lines, FENCE].join('\n'),
    ),
    ...(fitted.more > 0 ? [`... and ${fitted.more} more`] : []),
  ].join('\n\n');
}

function linesOf(of: Entry['kind'], { shown }: Fitted): string[] {
  return shown
    .filter(({ kind }) => kind === of)
    .flatMap(({ head, attributes, more }) => [
      `${SECTIONS[of].sign} ${head}`,
      ...attributes.map((attribute) => `${INDENT}${attribute}`),
      ...(more > 0 ? [`${INDENT}... and ${more} more attributes`] : []),
    ]);
}
