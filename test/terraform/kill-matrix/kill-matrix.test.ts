import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { runBare } from './bare.ts';
import { NAMES } from './configuration.ts';
import { Ground } from './ground.ts';
import { runTrial } from './trial.ts';
import type { Point, Trial, TrialOptions, Victim } from './trial.ts';

/** Shortened; `npm run bench -- terraform` kills at 20 points. */
const EARLY: Point = { kind: 'began', count: 1 };
const MIDDLE: Point = { kind: 'began', count: 4 };
const LATE: Point = { kind: 'ready', count: 9 };
/** An import takes a second, and late there are many. */
const remedyAt = (point: Point): TrialOptions['remedy'] => (point === LATE ? 'delete' : 'import');
/** Milliseconds. */
const DELAY = 150;
const WHOLE = { duplicates: [], missing: [], unknown: [], locked: false };

let directory: string;
let ground: Ground;
let killed: Readonly<Record<Victim, Promise<Trial[]>>>;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'slipway-kill-'));
  ground = await Ground.start(directory);
  // All at once: what a trial takes is waiting, most of all.
  killed = {
    worker: kill('worker', [EARLY, MIDDLE, LATE]),
    terraform: kill('terraform', [EARLY, MIDDLE, LATE]),
    host: kill('host', [EARLY, LATE]),
  };
}, 60_000);
afterAll(async () => {
  await Promise.allSettled(Object.values(killed));
  await ground.stop();
  await rm(directory, { recursive: true, force: true });
}, 60_000);

function kill(victim: Victim, points: readonly Point[]): Promise<Trial[]> {
  const trials = Promise.all(
    points.map((point) => runTrial(ground, victim, point, { delay: DELAY, remedy: remedyAt(point) })),
  );
  // Its test looks at it later.
  trials.catch(() => undefined);
  return trials;
}

describe('of an apply of ten slow objects', () => {
  test('a killed worker is not noticed: each object is made once, and no one is asked', async () => {
    for (const trial of await killed.worker) {
      expect(trial).toMatchObject({ ended: 'completed', world: WHOLE, leftovers: [] });
      expect(trial.applied).toEqual({
        outputs: { done: 'yes' },
        changed: true,
        counts: { create: NAMES.length, update: 0, replace: 0, delete: 0 },
      });
    }
  }, 90_000);

  test.each(['terraform', 'host'] as const)(
    'a killed %s ends in a question that names all that may exist, and what a person puts right is gone on with',
    async (victim) => {
      for (const trial of await killed[victim]) {
        expect(trial).toMatchObject({ ended: 'asked', unnamed: [], retried: 'completed', world: WHOLE });
        expect(trial).toMatchObject({ leftovers: [], applied: { outputs: { done: 'yes' } } });
        expect(trial.orphans).not.toEqual([]);
      }
    },
    90_000,
  );
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
