import { markdownTable } from '../table.ts';
import type { HarmResult } from './harm.ts';

const HEAD = [
  'production takes the release by',
  'requests harmed',
  'of all that were sent',
  'share',
  'from approval to end',
  'ended as',
];

/** The result as Markdown. */
export function tell({ good, bad, requestsPerSecond, measured }: HarmResult): string {
  const rows = measured.map(({ way, failed, sent, seconds, outcome }) => [
    way,
    String(failed),
    String(sent),
    `${((100 * failed) / sent).toFixed(2)} %`,
    `${seconds.toFixed(0)} s`,
    outcome,
  ]);
  const what = `Release ${bad} of the example, which fails 5 % of its requests, after ${good}, under ${requestsPerSecond} requests a second.`;
  return `${markdownTable(HEAD, rows)}\n\n${what}`;
}
