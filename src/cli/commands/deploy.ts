import type { Command } from 'commander';
import { workflowId, type WorkflowType } from '../../contract.ts';
import { parseDeployInput, parseDeployToEnvironmentInput } from '../../domain/requests.ts';
import { accepted } from '../input.ts';
import { launch, starter, type LaunchOptions } from '../launch.ts';
import { byOption, withCommonOptions, withExamples } from '../options.ts';
import type { Run } from '../program.ts';
import type { Terminal } from '../terminal.ts';

/** Environments that have a workflow type of their own. */
const OWN_TYPES = new Map<string, WorkflowType>([
  ['development', 'deployToDevelopment'],
  ['staging', 'deployToStaging'],
  ['production', 'deployToProduction'],
]);

export function deployCommand(program: Command, run: Run): void {
  const command = program
    .command('deploy')
    .summary('deploy a release to one environment')
    .description(
      'Deploys a release to one environment: plans, asks, applies, verifies, and puts all back when it is bad.',
    )
    .argument('<environment>', "one of the platform's environments")
    .argument('<versionTag>', 'semantic version, also the tag of the images, such as 1.4.0')
    .argument('<commitHash>', 'the full commit hash that it was built from')
    .option('--wait', "wait for the end; the exit code is the outcome's")
    .option('--join', 'where the same deployment is under way already, wait for that run instead of failing')
    .addOption(byOption('who starts it'))
    .action(async (environment: string, versionTag: string, commitHash: string, options: LaunchOptions) =>
      run((terminal) => deploy(terminal, { environment, versionTag, commitHash }, options)),
    );
  withExamples(withCommonOptions(command), [
    'slipway deploy staging 1.4.0 $(git rev-parse v1.4.0)',
    'slipway deploy production 1.4.0 $(git rev-parse v1.4.0) --wait --json',
  ]);
}

async function deploy(
  terminal: Terminal,
  given: { readonly environment: string; readonly versionTag: string; readonly commitHash: string },
  options: LaunchOptions,
): Promise<number> {
  const startedBy = starter(terminal, options);
  const full = accepted(parseDeployToEnvironmentInput({ ...given, startedBy }));
  const { environment, ...release } = full;
  const own = OWN_TYPES.get(environment);
  const input = own === undefined ? full : accepted(parseDeployInput(release));
  return await launch(terminal, options, environment, (platform) => ({
    type: own ?? 'deployToEnvironment',
    workflowId: workflowId.deploy(platform, environment, release.versionTag),
    input,
    summary: `${platform} ${release.versionTag} → ${environment}`,
    details: `commit \`${release.commitHash}\`, started by ${startedBy}`,
    attributes: {
      SlipwayPlatform: platform,
      SlipwayEnvironment: environment,
      SlipwayVersion: release.versionTag,
    },
  }));
}
