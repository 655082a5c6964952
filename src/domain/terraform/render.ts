import { utf8ToBytes } from '@noble/hashes/utils.js';
import { entriesOf } from './display.ts';
import type { Entry } from './display.ts';
import { fit } from './fit.ts';
import type { PlanJson } from './plan.ts';
import { secretsOf } from './secrets.ts';
import { summaryOf } from './summary.ts';

export { renderMarkdown } from './render-markdown.ts';

/** Bytes of UTF-8. */
const LIMIT = 4096;
const LAST_LINE = 40;
const INDENT = '    ';

const SIGNS: Readonly<Record<Entry['kind'], string>> = {
  destroy: '-',
  replace: '-/+',
  change: '~',
  create: '+',
  other: '>',
  output: '>',
};

/**
 * Readable lines of a plan for who approves it, at most 4 KB, the most dangerous first. Sensitive values and those of
 * telling names are masked; control characters are written out.
 * @param known secrets that the caller knows of, beside those that the plan marks
 */
export function render(plan: PlanJson, known?: ReadonlySet<string>): string {
  const { counts, drift, checks } = summaryOf(plan, known);
  const intro = [`${counts}.`, ...drift, ...checks];
  const room = LIMIT - LAST_LINE - utf8ToBytes(intro.join('\n')).length;
  const { shown, more } = fit(entriesOf(plan, secretsOf(plan, known)), room, INDENT.length + 1);
  const lines = shown.flatMap(({ kind, head, attributes, more: rest }) => [
    `${SIGNS[kind]} ${head}`,
    ...attributes.map((attribute) => `${INDENT}${attribute}`),
    ...(rest > 0 ? [`${INDENT}... and ${rest} more attributes`] : []),
  ]);
  return [...intro, ...lines, ...(more > 0 ? [`... and ${more} more`] : [])].join('\n');
}
