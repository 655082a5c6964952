import type { Command } from 'commander';
import { workflowId } from '../../contract.ts';
import { parseRollbackInput } from '../../domain/requests.ts';
import { accepted } from '../input.ts';
import { launch, starter, type LaunchOptions } from '../launch.ts';
import { byOption, withCommonOptions, withExamples } from '../options.ts';
import type { Run } from '../program.ts';
import type { Terminal } from '../terminal.ts';

interface Options extends LaunchOptions {
  readonly reason?: string;
}

export function rollbackCommand(program: Command, run: Run): void {
  const command = program
    .command('rollback')
    .summary('put an environment back on a release that it had')
    .description(
      "Puts an environment back on a release of its ledger: that release's images, settings and Terraform configuration.",
    )
    .argument('<environment>', "one of the platform's environments")
    .argument('<failedVersion>', 'the release to leave')
    .argument('<targetVersion>', 'the release to go back to; `slipway env <environment>` lists them')
    .option('--reason <text>', 'why, for the ledger and the people who are told')
    .option('--wait', "wait for the end; the exit code is the outcome's")
    .option('--join', 'where the same rollback is under way already, wait for that run instead of failing')
    .addOption(byOption('who starts it'))
    .action(async (environment: string, failedVersion: string, targetVersion: string, options: Options) =>
      run((terminal) => rollback(terminal, { environment, failedVersion, targetVersion }, options)),
    );
  withExamples(withCommonOptions(command), [
    "slipway rollback production 1.4.0 1.3.2 --reason 'suggestions are empty' --wait",
  ]);
}

async function rollback(
  terminal: Terminal,
  given: { readonly environment: string; readonly failedVersion: string; readonly targetVersion: string },
  options: Options,
): Promise<number> {
  const { reason } = options;
  const startedBy = starter(terminal, options);
  const input = accepted(
    parseRollbackInput({ ...given, startedBy, ...(reason !== undefined && { reason }) }),
  );
  const { environment, failedVersion, targetVersion } = given;
  return await launch(terminal, options, environment, (platform) => ({
    type: 'rollbackDeployment',
    workflowId: workflowId.rollback(platform, environment, failedVersion),
    input,
    summary: `${platform} ${environment}: ${failedVersion} back to ${targetVersion}`,
    details: `started by ${startedBy}: ${reason ?? 'no reason given'}`,
    attributes: {
      SlipwayPlatform: platform,
      SlipwayEnvironment: environment,
      SlipwayVersion: targetVersion,
    },
  }));
}
