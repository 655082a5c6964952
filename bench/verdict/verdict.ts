import { loadConfig } from '../../src/config.ts';
import type { BenchOptions } from '../options.ts';
import { measure, type Row } from './measure.ts';
import { good } from './programs.ts';
import { run, type Assignment, type RunOptions } from './run.ts';
import { scenarios, type Durations, type Scenario } from './scenarios.ts';
import { Stage, type Pace } from './stage.ts';
import { awsCli } from './watchers/aws-cli.ts';
import { ecsDeploy } from './watchers/ecs-deploy.ts';
import { ecspresso } from './watchers/ecspresso.ts';
import { jsSdk } from './watchers/js-sdk.ts';
import type { Watcher } from './watchers/watcher.ts';

export interface Measured {
  readonly scenario: Pick<Scenario, 'name' | 'release' | 'outcome'>;
  /** From the start of the rollouts to the last that came true. */
  readonly seconds: number;
  readonly rows: readonly Row[];
}

export interface VerdictResult {
  readonly bench: 'verdict';
  readonly measured: readonly Measured[];
  readonly watchers: readonly { readonly name: string; readonly version: string }[];
  readonly notInstalled: readonly string[];
  readonly pollMilliseconds: number;
}

interface Setting extends Durations, Omit<RunOptions, 'services' | 'others' | 'signal'> {
  readonly pace: Pace;
  /** How many services Slipway deploys at once. */
  readonly services: number;
}

/** A worker's own: what SLIPWAY_POLL_INTERVAL is by default. */
const pollMilliseconds = loadConfig({}).pollSeconds * 1000;

const FULL: Setting = {
  pace: { speed: 1, healthCheckInterval: 15, deregistrationDelay: 20 },
  services: 10,
  givesUpAfterSeconds: 18,
  windowSeconds: { lives: 30, dies: 60 },
  pollMilliseconds,
  deathAfter: 20,
  patience: 75,
};

/** For trying the harness: nothing of its times means anything. */
const WAITER = jsSdk({ minDelay: 1, maxDelay: 1 });
const QUICK: Setting = {
  pace: { speed: 50, healthCheckInterval: 5, deregistrationDelay: 5 },
  services: 2,
  givesUpAfterSeconds: 0.5,
  windowSeconds: { lives: 1, dies: 60 },
  pollMilliseconds: 200,
  deathAfter: 'all have spoken',
  patience: 10,
};

/** Who tells the truth of a rollout, when, and at how many calls; see docs/benchmarks.md. */
export async function verdict({ quick, signal, say }: BenchOptions): Promise<VerdictResult> {
  const setting = quick ? QUICK : FULL;
  const found = quick ? [] : await otherWatchers();
  const watchers = quick ? [WAITER] : found.flatMap(({ watcher }) => watcher ?? []);
  const services = Array.from({ length: setting.services }, (_, i) => `service-${i + 1}`);
  const others = watchers.map((watcher, i): Assignment => ({
    watcher,
    services: watcher.role === 'observes' ? services : [`other-${i + 1}`],
  }));
  const all = [...new Set([...services, ...others.flatMap((each) => each.services)])];
  say(`Starting a sandbox with ${all.length} services ...`);
  const stage = await Stage.start(all, setting.pace, good('one'));
  const measured: Measured[] = [];
  try {
    await Promise.all(all.map((name) => stage.steady(name)));
    for (const scenario of scenarios(setting)) {
      say(`A release that ${scenario.release} ...`);
      const ran = await run(stage, scenario, { ...setting, services, others, signal });
      const rows = ran.observations.map((each) => measure(each, ran.truths));
      const { name, release, outcome } = scenario;
      measured.push({ scenario: { name, release, outcome }, seconds: ran.seconds, rows });
      await Promise.all(scenario.dies ? [] : all.map((each) => stage.steady(each)));
    }
  } finally {
    await stage.close();
  }
  return {
    bench: 'verdict',
    measured,
    watchers: watchers.map(({ name, version }) => ({ name, version })),
    notInstalled: found.flatMap(({ name, watcher }) => (watcher === undefined ? [name] : [])),
    pollMilliseconds: setting.pollMilliseconds,
  };
}

async function otherWatchers(): Promise<{ name: string; watcher: Watcher | undefined }[]> {
  return [
    { name: 'the AWS CLI', watcher: await awsCli() },
    { name: 'the JavaScript SDK', watcher: jsSdk() },
    { name: 'ecs-deploy', watcher: await ecsDeploy() },
    { name: 'ecspresso', watcher: await ecspresso() },
  ];
}
