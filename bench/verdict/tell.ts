import { markdownTable } from '../table.ts';
import type { Row } from './measure.ts';
import { SLIPWAY_ROLLOUT, SLIPWAY_WINDOW } from './run.ts';
import type { Measured, VerdictResult } from './verdict.ts';

/** What Slipway promises: seconds after the truth, and looks in 5 s for ten services. */
const GOAL = { seconds: 5, describeServicesPer5s: 1 };

const HEAD = [
  'the release',
  'who tells',
  'says',
  'true',
  'seconds after it was so',
  'API calls',
  '`DescribeServices` per 5 s for 10 services',
];

/** The result as Markdown: a table, what it was measured with, and whether Slipway kept its promise. */
export function tell(result: VerdictResult): string {
  const { measured, watchers, notInstalled } = result;
  const rows = measured.flatMap(({ scenario, rows: told }) =>
    told.map((row, i) => [i === 0 ? scenario.release : '', ...cells(row)]),
  );
  return [
    markdownTable(HEAD, rows),
    [
      `Slipway looked every ${result.pollMilliseconds / 1000} s.`,
      `Versions: ${watchers.map(({ version }) => version).join(', ')}.`,
      ...notInstalled.map((name) => `Not installed: ${name}.`),
      ...measured.map(({ scenario, seconds }) => `${scenario.name}: true after ${seconds.toFixed(1)} s.`),
    ].join(' '),
    measured.map(promise).join('\n'),
  ].join('\n\n');
}

function cells({ watcher, services, says, truthful, secondsAfterTruth, calls, describeServicesPer5s }: Row) {
  return [
    services === 1 ? `${watcher}, of 1 service` : `${watcher}, of ${services}`,
    says,
    truthful ? 'yes' : '**no**',
    secondsAfterTruth === undefined ? '' : signed(secondsAfterTruth),
    String(calls),
    describeServicesPer5s === undefined ? '' : describeServicesPer5s.toFixed(2),
  ];
}

function promise({ scenario, rows }: Measured): string {
  const window = rows.find(({ watcher }) => watcher === SLIPWAY_WINDOW);
  const rollout = rows.find(({ watcher }) => watcher === SLIPWAY_ROLLOUT);
  // Of a release that lives, the rollout's end is the truth; one that dies afterwards is for the window to find.
  const judged = scenario.outcome === 'failure' ? (window ?? rollout) : rollout;
  const rates = [rollout, window].flatMap((row) => row?.describeServicesPer5s ?? []);
  const rate = Math.max(0, ...rates);
  const lag = judged?.secondsAfterTruth;
  const kept =
    judged?.truthful === true &&
    lag !== undefined &&
    lag <= GOAL.seconds &&
    // Arrivals jitter by milliseconds: what counts is what is shown.
    Number(rate.toFixed(2)) <= GOAL.describeServicesPer5s;
  const found = lag === undefined ? 'said nothing' : `${signed(lag)} s, ${rate.toFixed(2)} DescribeServices`;
  return `- ${scenario.name}: ${kept ? 'kept' : '**missed**'} (the truth within ${GOAL.seconds} s with at most ${GOAL.describeServicesPer5s} DescribeServices per 5 s for 10 services: ${found})`;
}

const signed = (seconds: number): string => `${seconds < 0 ? '−' : '+'}${Math.abs(seconds).toFixed(1)}`;
