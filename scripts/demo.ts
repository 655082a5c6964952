/**
 * The whole of Slipway on this machine, in under two minutes: a Temporal server with its UI, a rehearsal cloud, a worker, and
 * a platform of three services that is deployed, upgraded under traffic, and saved from a release that dies.
 */
import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import type { RunStatus } from '../src/domain/status.ts';
import { workflowId } from '../src/contract.ts';
import { Narrator, say, type Ending } from './demo/narrator.ts';
import { Traffic } from './demo/traffic.ts';
import { freePorts, isFree } from './rehearsal/ports.ts';
import { Rehearsal } from './rehearsal/rehearsal.ts';

const PLATFORM = 'writing-platform';
const APPROVER = 'alice';
const interactive = process.stdin.isTTY && process.stdout.isTTY;
const directory = join(import.meta.dirname, '..', '.slipway', `demo-${randomBytes(3).toString('hex')}`);

async function demo(rehearsal: Rehearsal): Promise<void> {
  const narrator = new Narrator(rehearsal, (id, status) => answer(rehearsal, id, status));
  say();
  say('1. Release 1.0.0 goes through development and staging to production.');
  expectOutcome(await release(rehearsal, narrator, '1.0.0'), 'Completed');
  say(`   The editor of production: ${rehearsal.url('production', 'editor')}`);

  say();
  say('2. Release 1.1.0 follows, while users keep asking production for suggestions, 20 a second.');
  const traffic = new Traffic(rehearsal.url('production', 'editor'), 20);
  traffic.start();
  expectOutcome(await release(rehearsal, narrator, '1.1.0'), 'Completed');
  const { sent, failed, firstFailure } = await traffic.stop();
  say(`   ${sent} requests were sent meanwhile, ${failed} failed.`);
  if (failed > 0) throw new Error(`no request should have failed; the first: ${firstFailure}`);

  say();
  say('3. Release 1.3.0 starts, answers its health checks, and dies a moment later.');
  expectOutcome(await release(rehearsal, narrator, '1.3.0'), 'RolledBack');
  say(
    `   A rollback is a failure, and the run says so. Production never saw 1.3.0: ${await served(rehearsal)} serves.`,
  );
}

async function release(rehearsal: Rehearsal, narrator: Narrator, version: string): Promise<Ending> {
  const run = await rehearsal.client.workflow.start('deploymentPipeline', {
    taskQueue: 'slipway',
    workflowId: workflowId.release(PLATFORM, version),
    args: [{ ...rehearsal.release(version), startedBy: 'demo' }],
    staticSummary: `${PLATFORM} ${version}`,
    staticDetails: 'Started by `npm run demo`.',
  });
  say(`   ${rehearsal.uiUrl}/namespaces/default/workflows/${run.workflowId}`);
  const ending = await narrator.follow(run);
  say(`   ${ending.outcome}: ${ending.summary}`);
  return ending;
}

/** The approval: asked in a terminal, given by the demo itself where nobody can be asked. */
async function answer(rehearsal: Rehearsal, id: string, status: RunStatus): Promise<void> {
  if (status.waiting?.what.startsWith('approval') !== true || status.evidence === undefined) return;
  const evidence = status.evidence.replace('sha256:', '').slice(0, 12);
  const run = rehearsal.client.workflow.getHandle(id);
  say(`   ? ${status.environment} waits for ${status.waiting.what}; evidence ${evidence}. By hand:`);
  say(`     ${status.waiting.commands.join('\n')} --address ${rehearsal.temporalAddress}`);
  if (!interactive) say(`     Nobody can be asked here: the demo approves as ${APPROVER}.`);
  const approved = !interactive || (await ask(`            Approve as ${APPROVER}? [Y/n] `));
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
    const versions = ['1.0.0', '1.1.0', '1.3.0'];
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
