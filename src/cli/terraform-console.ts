import { ApplicationFailure } from '@temporalio/common';
import { consoleSupervisor, Interrupted } from '../activities/process/console-supervisor.ts';
import type { Supervisor } from '../activities/process/supervisor.ts';
import { createSourceRepository } from '../activities/source/repository.ts';
import { NotRecovered } from '../activities/terraform/by-hand/console.ts';
import type { TerraformDependencies } from '../activities/terraform/dependencies.ts';
import type { TerraformInput } from '../activities/terraform/types.ts';
import { commit as commitField } from '../domain/input.ts';
import { loadPlatform } from '../platform/load.ts';
import { environmentPolicy } from '../platform/policy.ts';
import { CommandError } from './errors.ts';
import { configuration, type CommonOptions } from './session.ts';
import type { Standstill } from './standstill.ts';
import { printable, type Terminal } from './terminal.ts';

/** Options of the commands that put an environment's Terraform state right. */
export interface TerraformOptions extends CommonOptions {
  readonly environment: string;
  readonly commit?: string;
  readonly yes?: boolean;
}

/** Terraform of one environment as the worker of this host runs it, for a person. */
export interface TerraformConsole {
  readonly dependencies: TerraformDependencies;
  readonly environment: Pick<TerraformInput, 'target' | 'terraform'>;
  readonly supervisor: Supervisor;
}

/** @throws CommandError `InvalidInput`; UnknownEnvironment; InvalidPlatformFile; InvalidConfiguration */
export function terraformConsole(terminal: Terminal, options: TerraformOptions): TerraformConsole {
  const { dataDirectory, platformFile, terraform: binary } = configuration(terminal, options);
  const platform = loadPlatform(platformFile);
  const { target, terraform } = environmentPolicy(platform, options.environment);
  if (options.platform !== undefined && options.platform !== target.platform)
    throw invalid(`--platform is ${options.platform}, but ${platformFile} is of ${target.platform}.`);
  if (terraform === undefined) throw invalid(`${target.environment} has no terraform in ${platformFile}.`);
  const { repository } = platform.source;
  const { env: environment } = terminal;
  const dependencies: TerraformDependencies = {
    source: createSourceRepository({ repository, dataDirectory, environment }),
    dataDirectory,
    environment,
    binary,
    assertHolder: () => Promise.reject(new Error('A person at a console holds no lock of an environment.')),
  };
  return {
    dependencies,
    environment: { target, terraform },
    supervisor: consoleSupervisor(terminal.interruption()),
  };
}

/** @throws CommandError `InvalidInput` for what is no full commit hash */
export function fullCommit(given: string): string {
  const read = commitField(given);
  if (read.ok) return read.value;
  throw invalid(`--commit: found ${given}; allowed: ${read.allowed}`);
}

/**
 * Nothing of Slipway's may change the environment meanwhile.
 * @throws CommandError `NotRecovered`
 */
export function demandStandstill(still: Standstill, { environment, yes }: TerraformOptions): void {
  if (still.kind === 'busy')
    throw refused(
      `${still.detail}. Wait until it has ended, or waits for a decision: slipway env ${environment} shows it.`,
    );
  if (still.kind === 'unknown' && yes !== true)
    throw refused(
      `Whether a run changes ${environment} now can't be told. ${still.detail}\nIf it is certain that none does, add --yes.`,
    );
}

/** What to type next. */
export function nextCommand(still: Standstill, { environment }: TerraformOptions): string {
  return still.kind === 'waits'
    ? `slipway decide ${still.workflowId} --action retry`
    : `slipway env ${environment}`;
}

/** Asks for a `yes`, which `--yes` has given already. @throws CommandError `NotRecovered` without one */
export async function demandYes(terminal: Terminal, { yes }: TerraformOptions, what: string): Promise<void> {
  if (yes === true) return;
  const answer = await terminal.ask(`${what} Only 'yes' is taken: `);
  if (answer === undefined) throw refused('Nobody can answer here: add --yes when what is shown is right.');
  if (answer.trim() !== 'yes') throw refused('Not agreed to.');
}

/** Does `work`; what keeps it from its end is why the state is not right. */
export async function explained<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Interrupted)
      throw new CommandError('Interrupted', 'Interrupted. Run it again: it tells how far it came.');
    if (error instanceof NotRecovered || error instanceof ApplicationFailure)
      throw new CommandError('NotRecovered', error.message, { cause: error });
    throw error;
  }
}

export function refused(why: string): CommandError {
  return new CommandError('NotRecovered', `${why} Nothing was changed.`);
}

export function invalid(message: string): CommandError {
  return new CommandError('InvalidInput', message);
}

/** On standard error: standard output is the answer alone. */
export function tell(terminal: Terminal, lines: readonly string[]): void {
  for (const line of lines) terminal.writeError(`${printable(line)}\n`);
}
