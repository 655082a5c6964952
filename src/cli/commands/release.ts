import type { Command } from 'commander';
import { workflowId, type PipelineInput } from '../../contract.ts';
import { parsePipelineInput } from '../../domain/requests.ts';
import { accepted } from '../input.ts';
import { launch, starter, type LaunchOptions } from '../launch.ts';
import { byOption, withCommonOptions, withExamples } from '../options.ts';
import type { Run } from '../program.ts';
import type { Terminal } from '../terminal.ts';

interface Options extends LaunchOptions {
  readonly through?: string;
}

export function releaseCommand(program: Command, run: Run): void {
  const command = program
    .command('release')
    .summary('take a release through every environment')
    .description(
      'Starts the pipeline of a release: every environment of the platform in turn, each verified before the next.',
    )
    .argument('<versionTag>', 'semantic version, also the tag of the images, such as 1.4.0')
    .argument('<commitHash>', 'the full commit hash that it was built from')
    .option('--through <environment>', 'the last environment to deploy to')
    .option('--wait', "wait for the end; the exit code is the outcome's")
    .option('--join', 'where the same release is under way already, wait for that run instead of failing')
    .addOption(byOption('who starts it'))
    .action(async (versionTag: string, commitHash: string, options: Options) =>
      run((terminal) => release(terminal, versionTag, commitHash, options)),
    );
  withExamples(withCommonOptions(command), [
    'slipway release 1.4.0 $(git rev-parse v1.4.0)',
    'slipway release 1.4.0 $(git rev-parse v1.4.0) --through staging --wait',
  ]);
}

async function release(
  terminal: Terminal,
  versionTag: string,
  commitHash: string,
  options: Options,
): Promise<number> {
  const { through } = options;
  const startedBy = starter(terminal, options);
  const input: PipelineInput = accepted(
    parsePipelineInput({ versionTag, commitHash, startedBy, ...(through !== undefined && { through }) }),
  );
  return await launch(terminal, options, through, (platform) => ({
    type: 'deploymentPipeline',
    workflowId: workflowId.release(platform, versionTag),
    input,
    summary: `${platform} ${versionTag}${through === undefined ? '' : `, through ${through}`}`,
    details: `commit \`${commitHash}\`, started by ${startedBy}`,
    attributes: { SlipwayPlatform: platform, SlipwayVersion: versionTag },
  }));
}
