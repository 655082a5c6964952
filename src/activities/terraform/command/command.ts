import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Origin } from '../../../domain/terraform/change-set.ts';
import { tail } from '../../process/output.ts';
import { redact } from '../../process/redact.ts';
import { followProcess, runProcess } from '../../process/run.ts';
import type { ProcessEnd, RunOptions } from '../../process/run.ts';
import type { Supervisor } from '../../process/supervisor.ts';
import { processFiles } from '../../process/wrapper.ts';
import { diagnose } from './diagnosis.ts';
import { readDiagnostics } from './diagnostics.ts';
import type { Diagnostic } from './diagnostics.ts';
import { terraformFailed } from './errors.ts';
import type { FailedCommand, Phase } from './errors.ts';
import type { TerraformInput } from '../types.ts';
import { Watch } from './watch.ts';

/** For a command that takes the state lock: a short look of somebody else's at the state is no failure. */
export const LOCK_TIMEOUT = '-lock-timeout=20s';
/** What is run with `-json`, and tells what it does. */
const STREAMING: ReadonlySet<Phase> = new Set(['plan', 'apply']);
/** What a command about a state says when there is none. */
export const NO_STATE = 'No state file was found';
const ABOUT_LOCK = /^Error (acquiring|locking|releasing) the state/;
/** How much of terraform's output is read for its errors. */
const ERROR_BYTES = 256 * 1024;

/** A terraform command that runs, or ran, in an activity's private directory. */
export interface Followed {
  readonly input: TerraformInput;
  /** The activity's private directory. */
  readonly directory: string;
  /** The configuration in the checkout. */
  readonly configuration: string;
  readonly supervisor: Supervisor;
  /** Milliseconds between SIGINT and SIGKILL. */
  readonly grace: number;
  /** What no message may show; grows when a plan tells its sensitive values. */
  readonly secrets: Set<string>;
  /** `secrets` may lack some, so that nothing of what terraform says freely is told. */
  readonly mute?: boolean;
  /**
   * Finds out the secrets that are not in `secrets` yet, such as those that only the state has, before anything is told
   * of a plan or an apply that failed. Where that fails it is told as when `mute`.
   */
  readonly learn?: () => Promise<void>;
}

/** A configuration at a commit, with what terraform needs to run in it. */
export interface Checkout extends Followed {
  readonly binary: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** One that is initialised. */
export interface Workspace extends Checkout {
  readonly origin: Origin;
  /** Variables with the values of SSM parameters, by name. */
  readonly parameters: Readonly<Record<string, string>>;
}

/** Who else wants to know how a command gets on. */
export interface Watching {
  readonly watch?: Watch;
  /** Called at each look, when `watch` has read on. */
  readonly observe?: () => void;
}

/**
 * Runs a terraform command to its end.
 * @returns its stdout
 * @throws `TerraformFailed` by its diagnostics; the supervisor's failure when it was stopped
 */
export async function terraform(workspace: Checkout, phase: Phase, args: readonly string[]): Promise<string> {
  const end = await start(workspace, phase, args);
  if (!succeeded(end)) throw await failureOf(workspace, phase, end);
  return readFile(processFiles(join(workspace.directory, phase)).stdout, 'utf8');
}

/** Runs a command to its end. An apply that an earlier attempt started in this directory is found; the others run anew. */
export async function start(
  workspace: Checkout,
  phase: Phase,
  args: readonly string[],
  { removeAfterwards, ...watching }: Watching & { removeAfterwards?: string } = {},
): Promise<ProcessEnd> {
  const directory = join(workspace.directory, phase);
  if (phase !== 'apply') await rm(directory, { recursive: true, force: true });
  const launch = {
    directory,
    command: [workspace.binary, phase, ...args],
    cwd: workspace.configuration,
    env: workspace.environment,
    ...(removeAfterwards !== undefined && { removeAfterwards }),
  };
  return runProcess(launch, options(workspace, phase, watching));
}

/** Follows a command that an earlier attempt started. */
export function follow(followed: Followed, phase: Phase, watching: Watching = {}): Promise<ProcessEnd> {
  return followProcess(join(followed.directory, phase), options(followed, phase, watching));
}

export function succeeded(end: ProcessEnd): boolean {
  return end.kind === 'exited' && end.code === 0;
}

/** What to throw for a command that did not succeed. */
export async function failureOf(followed: Followed, phase: Phase, end: ProcessEnd): Promise<Error> {
  return end.stopped ? followed.supervisor.failure() : terraformFailed(await describe(followed, phase, end));
}

function options(followed: Followed, phase: Phase, { watch, observe }: Watching): RunOptions {
  const { supervisor, grace, secrets, directory, mute } = followed;
  const following = watch ?? (STREAMING.has(phase) ? new Watch(join(directory, phase)) : undefined);
  return {
    supervisor,
    grace,
    interrupt: 'command',
    async observe() {
      await following?.look();
      observe?.();
    },
    describe(line) {
      const said = phase === 'init' && !mute ? line : 'at work';
      const doing = following?.stream.describe(Date.now()) ?? said;
      return `terraform ${phase}: ${redact(doing, secrets)}`;
    },
  };
}

/** What a command that failed said, with all secrets in it: to be judged, never to be shown. */
export interface Heard {
  readonly errors: readonly Diagnostic[];
  /** The last lines. */
  readonly output: string;
}

/** @param bytes of the end of its output that are read */
export async function hear({ directory }: Followed, phase: Phase, bytes = ERROR_BYTES): Promise<Heard> {
  const files = processFiles(join(directory, phase));
  const [stdout, stderr] = await Promise.all([tail(files.stdout, bytes), tail(files.stderr, bytes)]);
  const output = (stderr.trim() || stdout.trim()).split('\n').slice(-5).join('\n');
  return { errors: readDiagnostics(stdout, stderr), output };
}

/** What went wrong, with no secret in it. */
export async function describe(followed: Followed, phase: Phase, end: ProcessEnd): Promise<FailedCommand> {
  const { input, secrets } = followed;
  const mute = STREAMING.has(phase) ? await isMute(followed) : followed.mute;
  const { errors, output } = await hear(followed, phase);
  const shown = errors
    .map((error) => (mute ? withheld(error) : error))
    .map(({ summary, detail }) => ({ summary: redact(summary, secrets), detail: redact(detail, secrets) }));
  return {
    target: input.target,
    phase,
    exitCode: end.kind === 'exited' ? end.code : undefined,
    errors: shown.slice(0, 10),
    output: mute ? '' : redact(output, secrets).slice(-1000),
    heard: errors,
  };
}

async function isMute({ mute = false, learn }: Followed): Promise<boolean> {
  if (!learn) return mute;
  return learn().then(
    () => false,
    () => true,
  );
}

/**
 * The summaries of errors that are known are terraform's own, with no value in them. A state is read under its lock: who
 * does not get it knows no value either.
 */
function withheld(error: Diagnostic): Diagnostic {
  if (ABOUT_LOCK.test(error.summary)) return error;
  const summary =
    diagnose([error]) === undefined
      ? 'an error that is not shown, as what is secret in it is not known any more'
      : error.summary;
  return { summary, detail: '' };
}
