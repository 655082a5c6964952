import { setTimeout as pause } from 'node:timers/promises';
import { WorkflowFailedError } from '@temporalio/client';
import { ActivityFailure, ApplicationFailure } from '@temporalio/common';
import type {
  ApplyInterruptedDetail,
  TerraformApplied,
  TerraformPlan,
} from '../../../src/activities/terraform/types.ts';
import { startTrialServer } from '../trial-provider/server.ts';
import type { TrialEvent, TrialServer } from '../trial-provider/server.ts';
import { NAMES, OBJECTS, addressOf, tenSlowObjects } from './configuration.ts';
import type { Ground, Performed } from './ground.ts';
import type { Host } from './host.ts';
import { Person } from './person.ts';
import { look } from './world.ts';
import type { World } from './world.ts';

/** What is killed with SIGKILL: the worker; Terraform with its provider; the provider alone; all, as with their host. */
export type Victim = 'worker' | 'terraform' | 'provider' | 'host';

/** When: right after the `count`-th object began to be made, or got ready. */
export interface Point {
  readonly kind: Extract<TrialEvent['kind'], 'began' | 'ready'>;
  readonly count: number;
}

export interface Trial {
  readonly victim: Victim;
  readonly point: Point;
  /** How the apply ended: by itself, or in a question; any other failure by its type. */
  readonly ended: 'completed' | 'asked' | (string & {});
  /** Objects that existed when it asked, unknown to the state. */
  readonly orphans: readonly string[];
  /** Those of them that the question did not name. */
  readonly unnamed: readonly string[];
  /** Who released the state's lock, when the apply left one. */
  readonly releasedBy: 'nobody had to' | 'Slipway' | 'a person';
  /** At the end, after a person put right what was asked for and had it retried. */
  readonly world: World;
  /** Files of operations that are over. */
  readonly leftovers: readonly string[];
  readonly applied: TerraformApplied | undefined;
  /** How the retry after a question ended. */
  readonly retried: string | undefined;
  readonly seconds: number;
}

export interface TrialOptions {
  /** Milliseconds that each object takes. */
  readonly delay: number;
  /** What the person does with objects that the state does not know. */
  readonly remedy: 'import' | 'delete';
  /** The kill waits until the state's lock is recorded, too. */
  readonly lockRecorded?: boolean;
}

/** Milliseconds that another host waits for the state's lock. */
const LOCK_WAIT = 2_000;

/** Milliseconds. */
const RECORDED_WITHIN = 60_000;

/** Whether all ten objects are there once, known to the state, unlocked, with nothing left behind and nothing in silence. */
export function isRight({ ended, unnamed, world, leftovers, applied }: Trial): boolean {
  const { duplicates, missing, unknown, locked } = world;
  const wrong = [unnamed, duplicates, missing, unknown, leftovers];
  return (
    (ended === 'completed' || ended === 'asked') &&
    wrong.every((list) => list.length === 0) &&
    !locked &&
    applied?.outputs['done'] === 'yes' &&
    (ended === 'asked' || applied.counts.create === OBJECTS)
  );
}

/** Applies ten slow objects, kills at the point, lets Slipway and then a person go on to the end, and looks. */
export async function runTrial(
  ground: Ground,
  victim: Victim,
  point: Point,
  { delay, remedy, lockRecorded = false }: TrialOptions,
): Promise<Trial> {
  const started = Date.now();
  const name = `${victim}-${point.kind}-${point.count}`;
  const path = `/${name}`;
  const server = await startTrialServer();
  const [first, other] = [
    ground.host(name, { lockWait: LOCK_WAIT }),
    ground.host(name, { lockWait: LOCK_WAIT }),
  ];
  try {
    const configuration = tenSlowObjects(server.address, delay);
    const input = ground.release(configuration, path);
    await first.startWorker();
    const planned = await ground.perform(name, 'planTerraform', input);
    const { changeSet: approved } = (await planned.result()) as TerraformPlan;
    const applying = await ground.perform(name, 'applyTerraform', { ...input, approved });
    await reached(server, point, applying);
    if (lockRecorded) await recorded(ground, applying);
    await kill(victim, first, other);
    server.goOn();
    const outcome = await outcomeOf(applying);
    const person = async () => new Person(ground, server, await ground.checkout(configuration, path), path);
    const retry = async () =>
      outcomeOf(await ground.perform(name, 'applyTerraform', { ...input, approved, resuming: true }));
    const { last, ...answered } = await answer(outcome, person, remedy, retry);
    return {
      victim,
      point,
      ended: outcome.ended,
      ...answered,
      world: look(ground.backend, server, path, NAMES),
      leftovers: await (victim === 'host' ? other : first).leftovers(),
      applied: last.result,
      seconds: (Date.now() - started) / 1000,
    };
  } finally {
    await Promise.all([first.lose(), other.lose()]);
    await server.close();
  }
}

async function recorded(ground: Ground, applying: Performed): Promise<void> {
  const deadline = Date.now() + RECORDED_WITHIN;
  while (!(await ground.heartbeat(applying)).includes('"lock"')) {
    if (Date.now() > deadline) throw new Error('No heartbeat tells of the lock');
    await pause(50);
  }
}

async function kill(victim: Victim, first: Host, other: Host): Promise<void> {
  switch (victim) {
    case 'worker':
      await first.killWorkers();
      return first.startWorker();
    case 'terraform':
      return first.killTerraform();
    case 'provider':
      return first.killProviders();
    case 'host':
      await first.lose();
      return other.startWorker();
  }
}

/** What a person does about a question: reads it, puts right what it names, and has it retried. */
async function answer(
  outcome: Outcome,
  summon: () => Promise<Person>,
  remedy: TrialOptions['remedy'],
  retry: () => Promise<Outcome>,
): Promise<Pick<Trial, 'orphans' | 'unnamed' | 'releasedBy' | 'retried'> & { last: Outcome }> {
  if (outcome.ended !== 'asked')
    return { orphans: [], unnamed: [], releasedBy: 'nobody had to', retried: undefined, last: outcome };
  const person = await summon();
  const { suspects = [], stateLock } = outcome.detail ?? {};
  const orphans = person.orphans.map(({ name }) => name);
  const unnamed = orphans.filter((name) => !suspects.includes(addressOf(name)));
  const byPerson = await person.unlock();
  await person.putRight(remedy);
  const last = await retry();
  const releasedBy = byPerson ? 'a person' : stateLock?.released === true ? 'Slipway' : 'nobody had to';
  return { orphans, unnamed, releasedBy, retried: last.ended, last };
}

/** No object gets ready after it, so that however late the kill comes, it comes here. @throws when the apply ends before */
async function reached(server: TrialServer, { kind, count }: Point, applying: Performed): Promise<void> {
  const ended = applying.result().then(() => {
    throw new Error(`The apply ended before ${count} objects ${kind}`);
  });
  await Promise.race([server.stopAfter(kind, count), ended]);
  ended.catch(() => undefined);
}

interface Outcome {
  readonly ended: Trial['ended'];
  readonly result?: TerraformApplied;
  readonly detail?: ApplyInterruptedDetail;
}

async function outcomeOf(performed: Performed): Promise<Outcome> {
  try {
    return { ended: 'completed', result: (await performed.result()) as TerraformApplied };
  } catch (error) {
    const failure = failureIn(error);
    const detail = failure.details?.[0] as ApplyInterruptedDetail | undefined;
    if (failure.type !== 'ApplyInterrupted') return { ended: `${failure.type}: ${failure.message}` };
    return { ended: 'asked', ...(detail && { detail }) };
  }
}

function failureIn(error: unknown): ApplicationFailure {
  if (!(error instanceof WorkflowFailedError)) throw error;
  const cause = error.cause instanceof ActivityFailure ? error.cause.cause : error.cause;
  if (cause instanceof ApplicationFailure) return cause;
  return ApplicationFailure.create({ type: cause?.name ?? 'Unknown', message: cause?.message ?? '' });
}
