import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { runBare } from './bare.ts';
import { NAMES } from './configuration.ts';
import { Ground } from './ground.ts';
import { runTrial } from './trial.ts';
import type { Point, Trial, Victim } from './trial.ts';

/** Shortened; `npm run bench -- terraform` kills at 20 points. What a person does differs from point to point. */
const POINTS = [
  { kind: 'began', count: 1, remedy: 'delete' },
  { kind: 'ready', count: 5, remedy: 'import' },
  { kind: 'began', count: 10, remedy: 'delete' },
] as const satisfies readonly (Point & { remedy: string })[];
/** Milliseconds. */
const DELAY = 150;
const WHOLE = { duplicates: [], missing: [], unknown: [], locked: false };

let directory: string;
let ground: Ground;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'slipway-kill-'));
  ground = await Ground.start(directory);
}, 60_000);
afterAll(async () => {
  await ground.stop();
  await rm(directory, { recursive: true, force: true });
});

/** Kills at all points at once: what a trial takes is waiting, most of all. */
function killAll(victim: Victim): Promise<Trial[]> {
  return Promise.all(
    POINTS.map(({ remedy, ...point }) => runTrial(ground, victim, point, { delay: DELAY, remedy })),
  );
}

describe('of an apply of ten slow objects', () => {
  test('a killed worker is not noticed: each object is made once, and no one is asked', async () => {
    for (const trial of await killAll('worker')) {
      expect(trial).toMatchObject({ ended: 'completed', world: WHOLE, leftovers: [] });
      expect(trial.applied).toEqual({
        outputs: { done: 'yes' },
        changed: true,
        counts: { create: NAMES.length, update: 0, replace: 0, delete: 0 },
      });
    }
  }, 60_000);

  test.each(['terraform', 'host'] as const)(
    'a killed %s ends in a question that names all that may exist, and what a person puts right is gone on with',
    async (victim) => {
      const trials = await killAll(victim);
      for (const trial of trials) {
        expect(trial).toMatchObject({ ended: 'asked', unnamed: [], retried: 'completed', world: WHOLE });
        expect(trial).toMatchObject({ leftovers: [], applied: { outputs: { done: 'yes' } } });
        expect(trial.orphans.length).toBeGreaterThanOrEqual(1);
      }
    },
    60_000,
  );
});

test('of a bare terraform whose reader is killed, or that is killed itself, the next one makes duplicates', async () => {
  const [point] = [{ kind: 'ready', count: 3 } as const];
  const [reader, terraform] = await Promise.all([
    runBare(ground, 'reader', point, { delay: DELAY }),
    runBare(ground, 'terraform', point, { delay: DELAY }),
  ]);
  for (const { world, lockLeft, orphans } of [reader, terraform]) {
    expect(lockLeft).toBe(true);
    expect(orphans).not.toEqual([]);
    expect(world.duplicates).toEqual(expect.arrayContaining([...orphans]));
  }
}, 60_000);
