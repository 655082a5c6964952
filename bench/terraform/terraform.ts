import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ground } from '../../test/terraform/kill-matrix/ground.ts';
import type { BenchOptions } from '../options.ts';
import { killAll } from './matrix.ts';
import type { Matrix } from './matrix.ts';
import { measureOverhead } from './overhead.ts';
import type { Overhead } from './overhead.ts';

export interface TerraformResult {
  readonly bench: 'terraform';
  readonly overhead: readonly Overhead[];
  readonly matrix: Matrix;
}

/** What Slipway's plan and apply cost beside terraform alone, and what is left of an apply that is killed. */
export async function terraform({ quick, say, signal }: BenchOptions): Promise<TerraformResult> {
  const directory = await mkdtemp(join(tmpdir(), 'bench-terraform-'));
  const ground = await Ground.start(directory);
  try {
    const overhead = await measureOverhead(ground, { runs: quick ? 2 : 15, say, signal });
    const matrix = await killAll(ground, { quick, say, signal });
    return { bench: 'terraform', overhead, matrix };
  } finally {
    await ground.stop();
    await rm(directory, { recursive: true, force: true });
  }
}
