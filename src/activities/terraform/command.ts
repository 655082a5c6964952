import { access, copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Origin } from '../../domain/terraform/change-set.ts';
import { tail } from '../process/output.ts';
import { redact } from '../process/redact.ts';
import { followProcess, runProcess } from '../process/run.ts';
import type { ProcessEnd, RunOptions } from '../process/run.ts';
import type { Supervisor } from '../process/supervisor.ts';
import { processFiles } from '../process/wrapper.ts';
import { readDiagnostics } from './diagnostics.ts';
import { terraformFailed } from './errors.ts';
import type { FailedCommand, Phase } from './errors.ts';
import type { TerraformInput } from './types.ts';

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

/** Starts a command, or finds the one that an earlier attempt started in this directory, and follows it. */
export function start(
  workspace: Checkout,
  phase: Phase,
  args: readonly string[],
  removeAfterwards?: string,
): Promise<ProcessEnd> {
  const launch = {
    directory: join(workspace.directory, phase),
    command: [workspace.binary, phase, ...args],
    cwd: workspace.configuration,
    env: workspace.environment,
    ...(removeAfterwards !== undefined && { removeAfterwards }),
  };
  return runProcess(launch, options(workspace, phase));
}

/** Follows a command that an earlier attempt started. */
export function follow(followed: Followed, phase: Phase): Promise<ProcessEnd> {
  return followProcess(join(followed.directory, phase), options(followed, phase));
}

export function succeeded(end: ProcessEnd): boolean {
  return end.kind === 'exited' && end.code === 0;
}

/** What to throw for a command that did not succeed. */
export async function failureOf(followed: Followed, phase: Phase, end: ProcessEnd): Promise<Error> {
  const failed = await describe(followed, phase, end);
  // One that was stopped ends as cancelled; but not without a word when its state went nowhere.
  return end.stopped && failed.erroredState === undefined
    ? followed.supervisor.failure()
    : terraformFailed(failed);
}

function options({ supervisor, grace, secrets }: Followed, phase: Phase): RunOptions {
  const describeLine = (line: string) => `terraform ${phase}: ${redact(progressOf(line), [...secrets])}`;
  return { supervisor, grace, interrupt: 'command', describe: describeLine };
}

async function describe(followed: Followed, phase: Phase, end: ProcessEnd): Promise<FailedCommand> {
  const files = processFiles(join(followed.directory, phase));
  const [stdout, stderr] = await Promise.all([
    tail(files.stdout, ERROR_BYTES),
    tail(files.stderr, ERROR_BYTES),
  ]);
  const secrets = [...followed.secrets];
  const errors = readDiagnostics(stdout, stderr).map(({ summary, detail }) => ({
    summary: redact(summary, secrets),
    detail: redact(detail, secrets),
  }));
  const lines = (stderr.trim() || stdout.trim()).split('\n').slice(-5).join('\n');
  const erroredState = await keepErroredState(followed.configuration, followed.directory);
  return {
    target: followed.input.target,
    phase,
    exitCode: end.kind === 'exited' ? end.code : undefined,
    errors: errors.slice(0, 10),
    output: redact(lines, secrets).slice(-1000),
    ...(erroredState !== undefined && { erroredState }),
  };
}

/**
 * Puts a state that terraform could not save, which is all there is to know of what it made, beside the private directory.
 * @returns where it is; undefined when there is none
 */
export async function keepErroredState(
  configuration: string,
  directory: string,
): Promise<string | undefined> {
  const kept = `${directory}.errored.tfstate`;
  await copyFile(join(configuration, 'errored.tfstate'), kept).catch(() => undefined);
  return access(kept).then(
    () => kept,
    () => undefined,
  );
}

/** What a line of terraform's JSON stream tells people. */
function progressOf(line: string): string {
  const message = /"@message":("(?:[^"\\]|\\.)*")/.exec(line)?.[1];
  try {
    return message === undefined ? line : String(JSON.parse(message));
  } catch {
    return line;
  }
}
