import { Option, type Command } from 'commander';

/** The options that every command has, after its own. */
export function withCommonOptions(command: Command): Command {
  return command
    .option('--address <host:port>', 'Temporal server, instead of TEMPORAL_ADDRESS')
    .option('--namespace <name>', 'namespace of the runs, instead of TEMPORAL_NAMESPACE')
    .option('--task-queue <name>', "task queue of the platform's worker, instead of SLIPWAY_TASK_QUEUE")
    .option('--platform-file <path>', 'the platform file, instead of SLIPWAY_PLATFORM_FILE')
    .option('--platform <name>', "the platform's name, where its file is not at hand")
    .option('--json', 'print JSON for programs');
}

/** Who says it; the default is decided when the command runs. */
export function byOption(what: string): Option {
  return new Option('--by <name>', `${what} (default: $SLIPWAY_USER, or else your user name)`);
}

/** Commands after `--help`'s options. */
export function withExamples(command: Command, examples: readonly string[]): Command {
  const lines = examples.map((example) => `  $ ${example}`);
  return command.addHelpText('after', `\nExamples:\n${lines.join('\n')}`);
}
