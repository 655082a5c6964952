import { runBare } from '../../test/terraform/kill-matrix/bare.ts';
import type { BareTrial, BareVictim } from '../../test/terraform/kill-matrix/bare.ts';
import { inTurns } from '../../test/terraform/kill-matrix/in-turns.ts';
import { OBJECTS } from '../../test/terraform/kill-matrix/configuration.ts';
import type { Ground } from '../../test/terraform/kill-matrix/ground.ts';
import { isRight, runTrial } from '../../test/terraform/kill-matrix/trial.ts';
import type { Point, Trial, Victim } from '../../test/terraform/kill-matrix/trial.ts';

export interface Matrix {
  readonly points: number;
  readonly trials: readonly (Trial & { readonly right: boolean })[];
  readonly bare: readonly BareTrial[];
}

const VICTIMS: readonly Victim[] = ['worker', 'terraform', 'provider', 'host'];
const BARE_VICTIMS: readonly BareVictim[] = ['reader', 'terraform'];
/** Milliseconds that an object takes. */
const DELAY = 300;

/** Twenty points spread over the apply; of a short matrix three. */
function pointsOf(quick: boolean): readonly Point[] {
  const counts = Array.from({ length: OBJECTS }, (_, index) => index + 1);
  const all = counts.flatMap((count): Point[] => [
    { kind: 'began', count },
    { kind: 'ready', count },
  ]);
  return quick ? all.filter((_, index) => index % 9 === 0) : all;
}

/** Kills everything at every point, Slipway's and what a shell has. */
export async function killAll(
  ground: Ground,
  { quick, say, signal }: { quick: boolean; say: (text: string) => void; signal: AbortSignal },
): Promise<Matrix> {
  const points = pointsOf(quick);
  const trials: Matrix['trials'][number][] = [];
  for (const victim of VICTIMS) {
    say(`killing the ${victim} at ${points.length} points ...`);
    const trial = (point: Point): Promise<Trial> => {
      signal.throwIfAborted();
      const remedy = point.count % 2 === 0 ? 'import' : 'delete';
      return runTrial(ground, victim, point, { delay: DELAY, remedy });
    };
    const some = await inTurns(points, trial);
    trials.push(...some.map((each) => ({ ...each, right: isRight(each) })));
  }
  const bare: BareTrial[] = [];
  for (const victim of BARE_VICTIMS) {
    say(`bare: killing the ${victim} at ${points.length} points ...`);
    const trial = (point: Point): Promise<BareTrial> => {
      signal.throwIfAborted();
      return runBare(ground, victim, point, { delay: DELAY });
    };
    bare.push(...(await inTurns(points, trial)));
  }
  return { points: points.length, trials, bare };
}
