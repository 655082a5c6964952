import { join } from 'node:path';
import { execa } from 'execa';
import type { TerraformInput, TerraformPlan } from '../../src/activities/terraform/types.ts';
import type { Ground } from '../../test/terraform/kill-matrix/ground.ts';
import { trialHeader } from '../../test/terraform/trial-provider/install.ts';
import { startTrialServer } from '../../test/terraform/trial-provider/server.ts';
import { median } from './median.ts';

/** Who takes a configuration from a commit to an applied state. */
export type Runner =
  /** Its plan and apply activities, by a worker and a Temporal server. */
  | 'Slipway'
  /** The same terraform commands in a shell's order, a plan and, after an approval, a plan again and its apply. */
  | 'same commands'
  /** The fewest: one checkout, one plan, and its apply. */
  | 'fewest commands';

export interface Overhead {
  readonly configuration: string;
  readonly resources: number;
  readonly runs: number;
  /** Medians, milliseconds. */
  readonly milliseconds: Readonly<Record<Runner, number>>;
  /** Every run, in order. */
  readonly all: Readonly<Record<Runner, readonly number[]>>;
}

export interface Sample {
  readonly name: string;
  readonly resources: number;
  /** @param server address of a trial server */
  configuration(server: string): string;
}

const BACKEND = 'terraform {\n  backend "http" {}\n}\n';
const OUTPUT = 'output "done" {\n  value = "yes"\n}\n';

/** No provider has to be started: what is left is Terraform, and what goes on around it. */
const SMALL: Sample = {
  name: 'small: 3 `terraform_data`',
  resources: 3,
  configuration: () =>
    BACKEND + OUTPUT + many(3, (i) => `resource "terraform_data" "r${i}" {\n  input = ${i}\n}`),
};
const MEDIUM: Sample = {
  name: 'medium: 50 resources of a provider, 100 ms each',
  resources: 50,
  configuration: (server) =>
    BACKEND +
    trialHeader(server) +
    OUTPUT +
    many(50, (i) => `resource "trial_object" "r${i}" {\n  name     = "r${i}"\n  delay_ms = 100\n}`),
};

/** Measures every runner on every configuration, one after the other, in turns. */
export async function measureOverhead(
  ground: Ground,
  { runs, say, signal }: { runs: number; say: (text: string) => void; signal: AbortSignal },
): Promise<Overhead[]> {
  const host = ground.host('overhead');
  await host.startWorker();
  try {
    const measured: Overhead[] = [];
    for (const sample of [SMALL, MEDIUM]) {
      say(`overhead: ${sample.name} ...`);
      measured.push(await measureSample(ground, sample, runs, signal));
    }
    return measured;
  } finally {
    await host.lose();
  }
}

async function measureSample(
  ground: Ground,
  sample: Sample,
  runs: number,
  signal: AbortSignal,
): Promise<Overhead> {
  const server = await startTrialServer();
  const all: Record<Runner, number[]> = { Slipway: [], 'same commands': [], 'fewest commands': [] };
  try {
    const configuration = sample.configuration(server.address);
    // The first of each warms caches that a pipeline's host has warm.
    for (let run = -1; run < runs; run += 1) {
      for (const runner of turn(Object.keys(all) as Runner[], run)) {
        signal.throwIfAborted();
        const path = `/${runner.replaceAll(' ', '-')}-${sample.resources}-${run}`;
        const input = ground.release(configuration, path);
        const before = performance.now();
        await RUNNERS[runner](ground, input, path);
        if (run >= 0) all[runner].push(performance.now() - before);
        demandApplied(ground, path, sample.resources);
      }
    }
  } finally {
    await server.close();
  }
  const milliseconds = {
    Slipway: median(all.Slipway),
    'same commands': median(all['same commands']),
    'fewest commands': median(all['fewest commands']),
  };
  return { configuration: sample.name, resources: sample.resources, runs, milliseconds, all };
}

const RUNNERS: Readonly<
  Record<Runner, (ground: Ground, input: TerraformInput, path: string) => Promise<void>>
> = {
  async Slipway(ground, input) {
    const planned = await ground.perform('overhead', 'planTerraform', input);
    const { changeSet: approved } = (await planned.result()) as TerraformPlan;
    const applied = await ground.perform('overhead', 'applyTerraform', { ...input, approved });
    await applied.result();
  },
  async 'same commands'(ground, input, path) {
    await planBare(ground, input, `${path}-plan`);
    await applyBare(ground, await planBare(ground, input, `${path}-apply`));
  },
  async 'fewest commands'(ground, input, path) {
    await applyBare(ground, await planBare(ground, input, path));
  },
};

/** Checkout, `init`, a saved plan, and what an approver reads. @returns the configuration's directory */
async function planBare(ground: Ground, input: TerraformInput, name: string): Promise<string> {
  const checkout = join(ground.directory, 'bare', name);
  await execa('git', ['clone', '--quiet', ground.upstream, checkout]);
  await execa('git', ['checkout', '--quiet', input.release.commit], { cwd: checkout });
  const directory = join(checkout, input.terraform.directory);
  const backend = Object.entries(input.terraform.backend).map(
    ([key, value]) => `-backend-config=${key}=${value}`,
  );
  await terraform(ground, directory, 'init', '-input=false', '-lockfile=readonly', ...backend);
  await terraform(ground, directory, 'plan', '-input=false', '-out=plan');
  await terraform(ground, directory, 'show', '-json', 'plan');
  return directory;
}

async function applyBare(ground: Ground, directory: string): Promise<void> {
  await terraform(ground, directory, 'apply', '-input=false', 'plan');
  await terraform(ground, directory, 'output', '-json');
}

async function terraform(ground: Ground, cwd: string, ...args: string[]): Promise<void> {
  await execa('terraform', args, { cwd, env: ground.environment, extendEnv: false });
}

/** Whoever goes first in a run goes last in the next. */
function turn<T>(items: readonly T[], by: number): readonly T[] {
  const from = ((by % items.length) + items.length) % items.length;
  return [...items.slice(from), ...items.slice(0, from)];
}

function demandApplied(ground: Ground, path: string, resources: number): void {
  const found = ground.backend.state(path)?.resources.length ?? 0;
  if (found !== resources) throw new Error(`${path}: ${found} of ${resources} resources are in the state`);
}

function many(count: number, resource: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => `${resource(index)}\n`).join('');
}
