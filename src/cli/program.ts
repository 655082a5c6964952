import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { abortCommand } from './commands/abort.ts';
import { approveCommand } from './commands/approve.ts';
import { decideCommand } from './commands/decide.ts';
import { deployCommand } from './commands/deploy.ts';
import { doctorCommand } from './commands/doctor.ts';
import { driftCommand } from './commands/drift.ts';
import { envCommand } from './commands/env.ts';
import { holdCommand } from './commands/hold.ts';
import { planCommand } from './commands/plan.ts';
import { promoteCommand } from './commands/promote.ts';
import { rejectCommand } from './commands/reject.ts';
import { releaseCommand } from './commands/release.ts';
import { reportCommand } from './commands/report.ts';
import { resumeCommand } from './commands/resume.ts';
import { rollbackCommand } from './commands/rollback.ts';
import { statusCommand } from './commands/status.ts';
import { terraformCommand } from './commands/terraform.ts';
import { testResultCommand } from './commands/test-result.ts';
import { watchCommand } from './commands/watch.ts';
import { EXIT_CODES } from './exit-codes.ts';
import type { Terminal } from './terminal.ts';

/** Runs a command's work, which gives the exit code. */
export type Run = (work: (terminal: Terminal) => Promise<number>) => Promise<void>;

const COMMANDS = [
  releaseCommand,
  deployCommand,
  rollbackCommand,
  planCommand,
  approveCommand,
  rejectCommand,
  abortCommand,
  holdCommand,
  resumeCommand,
  promoteCommand,
  decideCommand,
  testResultCommand,
  statusCommand,
  watchCommand,
  reportCommand,
  envCommand,
  driftCommand,
  terraformCommand,
  doctorCommand,
];

/** The `slipway` command, as commander has it. */
export function slipwayProgram(run: Run): Command {
  const program = new Command('slipway')
    .description(
      'Deploys releases to Amazon ECS as durable workflows: starts runs, answers what they ask, shows how they are.',
    )
    .version(packageVersion(), '-V, --version', "print Slipway's version")
    .enablePositionalOptions()
    .showHelpAfterError('(--help says more)');
  for (const add of COMMANDS) add(program, run);
  return program.addHelpText('after', `\nExit codes:\n${exitCodeLines().join('\n')}`);
}

/** Of the package that this is part of: two folders up, as written and as built. */
function packageVersion(): string {
  const file = new URL('../../package.json', import.meta.url);
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
  return version;
}

function exitCodeLines(): string[] {
  return Object.entries(EXIT_CODES).map(
    ([name, { code, meaning }]) => `${String(code).padStart(5)}  ${name}: ${meaning}`,
  );
}
