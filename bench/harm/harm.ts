import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WorkflowHandle } from '@temporalio/client';
import { parseDocument } from 'yaml';
import { Traffic } from '../../scripts/demo/traffic.ts';
import { Rehearsal } from '../../scripts/rehearsal/rehearsal.ts';
import { endingOf, untilApprovalIsAsked } from '../../test/e2e/stage.ts';
import type { BenchOptions } from '../options.ts';

/** How production takes a release: as the example's slipway.yaml has it, or the same without `rollout.canary`. */
export type Way = 'canary' | 'rolling update';

export interface Harm {
  readonly way: Way;
  /** How the run of the bad release ended. */
  readonly outcome: string;
  readonly summary: string;
  /** From its approval to its end. */
  readonly seconds: number;
  readonly sent: number;
  readonly failed: number;
}

export interface HarmResult {
  readonly bench: 'harm';
  readonly good: string;
  readonly bad: string;
  readonly requestsPerSecond: number;
  readonly measured: readonly Harm[];
}

/** 1.2.0 fails every 20th request of each task, in production alone: no test of another environment can notice. */
const GOOD = '1.1.0';
const BAD = '1.2.0';
const REQUESTS_PER_SECOND = 40;
const WAYS: readonly Way[] = ['canary', 'rolling update'];

/** How many of the users' requests a bad release harms before Slipway has taken it back: by each way the same, under the same traffic. */
export async function harm({ say, signal }: Pick<BenchOptions, 'say' | 'signal'>): Promise<HarmResult> {
  const measured: Harm[] = [];
  for (const way of WAYS) measured.push(await measureHarm(way, say, signal));
  return { bench: 'harm', good: GOOD, bad: BAD, requestsPerSecond: REQUESTS_PER_SECOND, measured };
}

async function measureHarm(way: Way, say: BenchOptions['say'], signal: AbortSignal): Promise<Harm> {
  const directory = await mkdtemp(join(tmpdir(), 'bench-harm-'));
  const rehearsal = await Rehearsal.start({ directory, speed: 40 });
  const stage = { rehearsal, signal };
  try {
    if (way === 'rolling update') await withoutCanary(rehearsal.platformFile);
    await Promise.all([rehearsal.startWorker(), ...[GOOD, BAD].map((each) => rehearsal.publish(each))]);
    say(`${way}: ${GOOD} goes to production ...`);
    const { run } = await deploy(stage, GOOD);
    const { outcome, message } = await endingOf(run);
    if (outcome !== 'Completed') throw new Error(`${GOOD} did not get to production: ${message}`);
    say(`${way}: ${BAD} follows, under ${REQUESTS_PER_SECOND} requests a second ...`);
    return { way, ...(await underTraffic(stage)) };
  } finally {
    await rehearsal.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

interface HarmStage {
  readonly rehearsal: Rehearsal;
  readonly signal: AbortSignal;
}

async function underTraffic(stage: HarmStage): Promise<Omit<Harm, 'way'>> {
  const users = new Traffic(stage.rehearsal.url('production', 'editor'), REQUESTS_PER_SECOND);
  try {
    const { run, approvedAt } = await deploy(stage, BAD, () => users.start());
    const { outcome, message: summary } = await endingOf(run);
    const seconds = (Date.now() - approvedAt) / 1000;
    const { sent, failed } = await users.stop();
    return { outcome, summary, seconds, sent, failed };
  } finally {
    await users.stop();
  }
}

/** @param beforeApproval done when the run waits for nothing but its approval */
async function deploy(
  { rehearsal, signal }: HarmStage,
  version: string,
  beforeApproval?: () => void,
): Promise<{ run: WorkflowHandle; approvedAt: number }> {
  signal.throwIfAborted();
  const run = await rehearsal.client.workflow.start('deployToProduction', {
    taskQueue: 'slipway',
    workflowId: `bench.production.${version}`,
    args: [{ ...rehearsal.release(version), startedBy: 'bench' }],
  });
  // Whoever waits for the run is told at once.
  signal.addEventListener('abort', () => void run.terminate('stopped').catch(() => undefined), {
    once: true,
  });
  const evidence = await untilApprovalIsAsked(run);
  beforeApproval?.();
  await run.signal('approve', { by: 'alice', evidence });
  return { run, approvedAt: Date.now() };
}

async function withoutCanary(platformFile: string): Promise<void> {
  const document = parseDocument(await readFile(platformFile, 'utf8'));
  if (!document.deleteIn(['environments', 'production', 'rollout', 'canary']))
    throw new Error(`${platformFile} has no canary in production to do without`);
  await writeFile(platformFile, String(document));
}
