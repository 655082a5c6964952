/**
 * The whole of Slipway on this machine, in minutes: a Temporal server with its UI, a rehearsal cloud, a worker, and a platform
 * of three services that is deployed, upgraded under traffic by canary, and saved from two releases that no test found bad.
 */
import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import type { WorkflowHandle } from '@temporalio/client';
import type { RunStatus } from '../src/domain/status.ts';
import { workflowId } from '../src/contract.ts';
import { endingOf, Narrator, say, type Ending } from './demo/narrator.ts';
import { Traffic } from './demo/traffic.ts';
import { freePorts, isFree } from './rehearsal/ports.ts';
import { Rehearsal } from './rehearsal/rehearsal.ts';

const PLATFORM = 'writing-platform';
const APPROVER = 'alice';
const interactive = process.stdin.isTTY && process.stdout.isTTY;
const directory = join(import.meta.dirname, '..', '.slipway', `demo-${randomBytes(3).toString('hex')}`);

/** Requests of the users of production, a second. */
const RATE = 40;

async function demo(rehearsal: Rehearsal): Promise<void> {
  const users = new Traffic(rehearsal.url('production', 'editor'), RATE);
  const passing: Promise<WorkflowHandle>[] = [];
  const narrator = new Narrator(rehearsal, (id, status) =>
    answer(rehearsal, id, status, () => {
      const { version } = status.release;
      if (version !== '1.0.0') users.start();
      if (version !== '1.1.0') return;
      passing.push(...['1.2.0', '1.3.0'].map((next) => pipeline(rehearsal, next, 'staging')));
    }),
  );
  say();
  say('1. Release 1.0.0 goes through development and staging to production.');
  expectOutcome(await follow(rehearsal, narrator, await pipeline(rehearsal, '1.0.0')), 'Completed');
  say(`   The editor of production: ${rehearsal.url('production', 'editor')}`);

  say();
  say(
    `2. Release 1.1.0 follows. In production ${RATE} requests a second are shifted to it service by service.`,
  );
  expectOutcome(await follow(rehearsal, narrator, await pipeline(rehearsal, '1.1.0')), 'Completed');
  const { sent, failed, firstFailure } = await users.stop();
  say(`   ${sent} requests were sent meanwhile, ${failed} failed.`);
  if (failed > 0) throw new Error(`no request should have failed; the first: ${firstFailure}`);

  say();
  say('3. Meanwhile 1.2.0 and 1.3.0 pass development and staging: no test notices what is wrong with them.');
  for (const run of await Promise.all(passing)) {
    const ending = await endingOf(run);
    expectOutcome(ending, 'Completed');
    say(`   ${ending.outcome}: ${ending.summary}`);
  }

  say();
  say('4. Release 1.2.0 fails 5 % of its requests, in production only.');
  await harmless(rehearsal, narrator, users, '1.2.0');

  say();
  say('5. Release 1.3.0 dies of being used.');
  await harmless(rehearsal, narrator, users, '1.3.0');
  say(`   A rollback is a failure, and the run says so. ${await served(rehearsal)} serves.`);
}

/** Deploys a bad release to production, which goes back before most users have seen it. */
async function harmless(
  rehearsal: Rehearsal,
  narrator: Narrator,
  users: Traffic,
  version: string,
): Promise<void> {
  const run = await start(rehearsal, 'deployToProduction', version, {
    id: workflowId.deploy(PLATFORM, 'production', version),
  });
  expectOutcome(await follow(rehearsal, narrator, run), 'RolledBack');
  const { sent, failed } = await users.stop();
  const share = ((100 * failed) / sent).toFixed(2);
  say(`   ${failed} of ${sent} requests failed: ${share} % of the users' requests were harmed.`);
}

async function pipeline(rehearsal: Rehearsal, version: string, through?: string): Promise<WorkflowHandle> {
  const id = workflowId.release(PLATFORM, version);
  return await start(rehearsal, 'deploymentPipeline', version, { id, ...(through && { through }) });
}

async function start(
  rehearsal: Rehearsal,
  type: string,
  version: string,
  { id, ...input }: { readonly id: string; readonly through?: string },
): Promise<WorkflowHandle> {
  return await rehearsal.client.workflow.start(type, {
    taskQueue: 'slipway',
    workflowId: id,
    args: [{ ...rehearsal.release(version), startedBy: 'demo', ...input }],
    staticSummary: `${PLATFORM} ${version}`,
    staticDetails: 'Started by `npm run demo`.',
  });
}

async function follow(rehearsal: Rehearsal, narrator: Narrator, run: WorkflowHandle): Promise<Ending> {
  say(`   ${rehearsal.uiUrl}/namespaces/default/workflows/${run.workflowId}`);
  const ending = await narrator.follow(run);
  say(`   ${ending.outcome}: ${ending.summary}`);
  return ending;
}

/**
 * The approval: asked in a terminal, given by the demo itself where nobody can be asked.
 * @param before what is done right before it is given
 */
async function answer(
  rehearsal: Rehearsal,
  id: string,
  status: RunStatus,
  before: () => void,
): Promise<void> {
  if (status.waiting?.what.startsWith('approval') !== true || status.evidence === undefined) return;
  const evidence = status.evidence.replace('sha256:', '').slice(0, 12);
  const run = rehearsal.client.workflow.getHandle(id);
  say(`   ? ${status.environment} waits for ${status.waiting.what}; evidence ${evidence}. By hand:`);
  say(`     ${status.waiting.commands.join('\n')} --address ${rehearsal.temporalAddress}`);
  if (!interactive) say(`     Nobody can be asked here: the demo approves as ${APPROVER}.`);
  const approved = !interactive || (await ask(`            Approve as ${APPROVER}? [Y/n] `));
  before();
  if (approved) await run.signal('approve', { by: APPROVER, evidence });
  else await run.signal('reject', { by: APPROVER, reason: 'rejected in the demo' });
}

async function ask(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return !/^n/i.test((await terminal.question(question)).trim());
  } finally {
    terminal.close();
  }
}

function expectOutcome({ outcome, summary }: Ending, expected: string): void {
  if (outcome !== expected)
    throw new Error(`the run should have ended as ${expected}, but: ${outcome}: ${summary}`);
}

async function served(rehearsal: Rehearsal): Promise<string> {
  const answered = await fetch(`${rehearsal.url('production', 'editor')}/version`);
  return ((await answered.json()) as { version: string }).version;
}

/** The ports that people know, where they are free. */
async function ports(): Promise<{ temporal: number; ui: number; sandbox: number }> {
  const [temporal = 0, ui = 0, sandbox = 0] = await freePorts(3);
  const known = { temporal: 7233, ui: 8233, sandbox: 4566 };
  const free = { temporal, ui, sandbox };
  const taken = await Promise.all(Object.values(known).map(async (port) => !(await isFree(port))));
  return taken.includes(true) ? free : known;
}

async function untilCtrlC(): Promise<void> {
  await new Promise<void>((resolve) => process.once('SIGINT', () => resolve()));
}

async function main(): Promise<void> {
  say('Starting a Temporal server, the rehearsal cloud and a worker ...');
  const rehearsal = await Rehearsal.start({ directory, speed: 40, ui: true, ports: await ports() });
  let kept = true;
  try {
    const versions = ['1.0.0', '1.1.0', '1.2.0', '1.3.0'];
    await Promise.all([rehearsal.startWorker(), ...versions.map((version) => rehearsal.publish(version))]);
    say(`Temporal UI       ${rehearsal.uiUrl}`);
    say(
      `Rehearsal cloud   ${rehearsal.sandboxUrl}   (the AWS CLI works on it: AWS_ENDPOINT_URL=${rehearsal.sandboxUrl})`,
    );
    say(`Platform          ${rehearsal.platformFile}`);
    await demo(rehearsal);
    say();
    if (interactive) {
      say(`All of it stays up: look around at ${rehearsal.uiUrl}. Ctrl-C ends it.`);
      await untilCtrlC();
    }
    kept = false;
  } finally {
    await rehearsal.stop();
    if (kept) say(`Logs are in ${join(directory, 'logs')}`);
    else await rm(directory, { recursive: true, force: true });
  }
  say('Done.');
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
