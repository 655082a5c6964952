import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { runBare } from './bare.ts';
import { NAMES } from './configuration.ts';
import { Ground } from './ground.ts';
import { inTurns } from './in-turns.ts';
import { runTrial } from './trial.ts';
import type { Point, Trial, Victim } from './trial.ts';

/** Shortened; `npm run bench -- terraform` kills at 20 points. */
const EARLY: Point = { kind: 'began', count: 1 };
const MIDDLE: Point = { kind: 'began', count: 4 };
const LATE: Point = { kind: 'ready', count: 9 };
const CASES: readonly (readonly [Victim, Point])[] = [
  ['worker', EARLY],
  ['worker', MIDDLE],
  ['worker', LATE],
  ['terraform', EARLY],
  ['terraform', MIDDLE],
  ['terraform', LATE],
  ['provider', MIDDLE],
  ['host', EARLY],
  ['host', LATE],
];
/** Milliseconds. */
const DELAY = 150;
const WHOLE = { duplicates: [], missing: [], unknown: [], locked: false };

let directory: string;
let ground: Ground;
let trials: readonly Trial[];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'slipway-kill-'));
  ground = await Ground.start(directory);
  trials = await inTurns(CASES, ([victim, point]) => {
    // An import takes a second, and late there are many.
    const remedy = point === LATE ? 'delete' : 'import';
    return runTrial(ground, victim, point, { delay: DELAY, remedy, lockRecorded: point === LATE });
  });
}, 240_000);
afterAll(async () => {
  await ground.stop();
  await rm(directory, { recursive: true, force: true });
}, 60_000);

const of = (victim: Victim): readonly Trial[] => trials.filter((trial) => trial.victim === victim);

describe('of an apply of ten slow objects', () => {
  test('a killed worker is not noticed: each object is made once, and no one is asked', () => {
    for (const trial of of('worker')) {
      expect(trial).toMatchObject({ ended: 'completed', world: WHOLE, leftovers: [] });
      expect(trial.applied).toEqual({
        outputs: { done: 'yes' },
        changed: true,
        counts: { create: NAMES.length, update: 0, replace: 0, delete: 0 },
      });
    }
  });

  test.each(['terraform', 'provider', 'host'] as const)(
    'a killed %s ends in a question that names all that may exist, and what a person puts right is gone on with',
    (victim) => {
      for (const trial of of(victim)) {
        expect(trial).toMatchObject({ ended: 'asked', unnamed: [], retried: 'completed', world: WHOLE });
        expect(trial).toMatchObject({ leftovers: [], applied: { outputs: { done: 'yes' } } });
        expect(trial.orphans).not.toEqual([]);
      }
    },
  );

  test('the lock that a killed terraform left is released by its recorded id; that of a lost host is left to a person', () => {
    const late = (victim: Victim) => of(victim).find(({ point }) => point === LATE);
    expect(late('terraform')).toMatchObject({ releasedBy: 'Slipway' });
    expect(late('host')).toMatchObject({ releasedBy: 'a person' });
  });
});

test.each(['reader', 'terraform'] as const)(
  'of a bare terraform whose %s is killed, the next one makes duplicates',
  async (victim) => {
    const { world, lockLeft, orphans } = await runBare(ground, victim, MIDDLE, { delay: DELAY });
    expect(lockLeft).toBe(true);
    expect(orphans).not.toEqual([]);
    expect(world.duplicates).toEqual(expect.arrayContaining([...orphans]));
  },
  60_000,
);
