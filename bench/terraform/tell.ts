import type { BareTrial } from '../../test/terraform/kill-matrix/bare.ts';
import type { Trial, Victim } from '../../test/terraform/kill-matrix/trial.ts';
import { markdownTable } from '../table.ts';
import type { Matrix } from './matrix.ts';
import type { Overhead } from './overhead.ts';
import type { TerraformResult } from './terraform.ts';

/** The goal: at most this much over the same commands in a shell. */
const GOAL = { share: 0.15, milliseconds: 300 };

/** The result as Markdown. */
export function tell({ overhead, matrix }: TerraformResult): string {
  const parts = [overheadTable(overhead), ...overhead.map(verdictOf), killTable(matrix), bareTable(matrix)];
  return [...parts, ...wrongIn(matrix)].join('\n\n');
}

function overheadTable(overhead: readonly Overhead[]): string {
  const head = ['configuration', 'Slipway', 'the same commands', 'over it', 'the fewest commands', 'over it'];
  const rows = overhead.map(({ configuration, milliseconds }) => {
    const { Slipway: ours, 'same commands': same, 'fewest commands': fewest } = milliseconds;
    return [configuration, ms(ours), ms(same), over(ours, same), ms(fewest), over(ours, fewest)];
  });
  return markdownTable(head, rows);
}

function verdictOf({ configuration, runs, milliseconds }: Overhead): string {
  const { Slipway: ours, 'same commands': same } = milliseconds;
  const within = [
    `${ours - same < GOAL.milliseconds ? 'within' : 'not within'} ${GOAL.milliseconds} ms`,
    `${ours / same - 1 < GOAL.share ? 'within' : 'not within'} ${percent(GOAL.share)}`,
  ];
  return `- ${configuration}: ${within.join(', ')} of the same commands (medians of ${runs} runs in turns)`;
}

function killTable({ trials, points }: Matrix): string {
  const head = [
    'killed, with SIGKILL',
    'every object once, all in the state, unlocked',
    'went on by itself',
    'asked',
    'objects unknown to the state when it asked',
    'of them not named',
    'lock released by Slipway / a person',
  ];
  const rows = [...Map.groupBy(trials, ({ victim }) => victim)].map(([victim, theirs]) => [
    NAMES[victim],
    `${theirs.filter(({ right }) => right).length} of ${points}`,
    String(theirs.filter(({ ended }) => ended === 'completed').length),
    String(theirs.filter(({ ended }) => ended === 'asked').length),
    String(sum(theirs, ({ orphans }) => orphans.length)),
    String(sum(theirs, ({ unnamed }) => unnamed.length)),
    `${releasedBy(theirs, 'Slipway')} / ${releasedBy(theirs, 'a person')}`,
  ]);
  return markdownTable(head, rows);
}

const NAMES: Readonly<Record<Victim, string>> = {
  worker: 'the worker',
  terraform: 'terraform and its provider',
  provider: 'the provider alone',
  host: 'all, with their host',
};

function bareTable({ bare, points }: Matrix): string {
  const head = [
    '`terraform apply \\| cat`, killed',
    'every object once, all in the state, unlocked',
    'state left locked',
    'objects left unknown to the state',
    'duplicates after it is applied again',
    'runs with duplicates',
  ];
  const rows = [...Map.groupBy(bare, ({ victim }) => victim)].map(([victim, theirs]) => [
    { reader: 'the reader', terraform: 'the shell and all in it' }[victim],
    `${theirs.filter(isWhole).length} of ${points}`,
    String(theirs.filter(({ lockLeft }) => lockLeft).length),
    String(sum(theirs, ({ orphans }) => orphans.length)),
    String(sum(theirs, ({ world }) => world.duplicates.length)),
    String(theirs.filter(({ world }) => world.duplicates.length > 0).length),
  ]);
  return markdownTable(head, rows);
}

function isWhole({ world: { duplicates, missing, unknown, locked } }: BareTrial): boolean {
  return [duplicates, missing, unknown].every((list) => list.length === 0) && !locked;
}

/** What is not right, with all that is known of it. */
function wrongIn({ trials }: Matrix): string[] {
  return trials.filter(({ right }) => !right).map((trial) => `- not right: ${JSON.stringify(trial)}`);
}

const releasedBy = (trials: readonly Trial[], who: Trial['releasedBy']): number =>
  trials.filter((trial) => trial.releasedBy === who).length;

function sum<T>(items: readonly T[], amount: (item: T) => number): number {
  return items.reduce((total, item) => total + amount(item), 0);
}

const ms = (value: number): string => `${value.toFixed(0)} ms`;
const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;
const over = (ours: number, theirs: number): string =>
  `${ours >= theirs ? '+' : '−'}${Math.abs(ours - theirs).toFixed(0)} ms (${percent(ours / theirs - 1)})`;
