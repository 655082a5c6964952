import { randomBytes } from 'node:crypto';
import { Option, type Command } from 'commander';
import type { DeploymentPlan } from '../../contract.ts';
import { escapeMarkdown } from '../../domain/render/markdown.ts';
import { planMarkdown } from '../../domain/render/plan-markdown.ts';
import { reportMarkdown } from '../../domain/render/report-markdown.ts';
import { parseDeployToEnvironmentInput, type DeployToEnvironmentInput } from '../../domain/requests.ts';
import type { Ending } from '../ending.ts';
import { exitCodeOf } from '../exit-codes.ts';
import { accepted } from '../input.ts';
import { starter, type LaunchOptions } from '../launch.ts';
import { look } from '../look.ts';
import { byOption, withCommonOptions, withExamples } from '../options.ts';
import type { Run } from '../program.ts';
import { checkEnvironment, configuration } from '../session.ts';
import { showChecks, showEvidence, showTerraform } from '../show-plan.ts';
import type { Request } from '../start.ts';
import { printable, printJson, printLine, type Terminal } from '../terminal.ts';

const FORMATS = ['text', 'markdown'] as const;

interface Options extends LaunchOptions {
  readonly format: (typeof FORMATS)[number];
}

export function planCommand(program: Command, run: Run): void {
  const command = program
    .command('plan')
    .summary('show all that a deployment would do, changing nothing')
    .description(
      'Runs the checklist and makes the plan of a deployment, waits for them, and prints them: checks, change set, evidence. ' +
        'Changes nothing. The exit code is 0 when the release could be deployed.',
    )
    .argument('<environment>', "one of the platform's environments")
    .argument('<versionTag>', 'semantic version, also the tag of the images, such as 1.4.0')
    .argument('<commitHash>', 'the full commit hash that it was built from')
    .addOption(byOption('who asks'))
    .addOption(
      new Option('--format <format>', 'how it is written: markdown is for the comment of a pull request')
        .choices([...FORMATS])
        .default('text'),
    )
    .action(async (environment: string, versionTag: string, commitHash: string, options: Options) =>
      run((terminal) => plan(terminal, { environment, versionTag, commitHash }, options)),
    );
  withExamples(withCommonOptions(command), [
    'slipway plan production 1.4.0 $(git rev-parse v1.4.0)',
    'slipway plan production 1.4.0 $(git rev-parse v1.4.0) --json | jq -r .digest',
    'slipway plan production 1.4.0 $(git rev-parse v1.4.0) --format markdown | gh pr comment 42 --body-file -',
  ]);
}

async function plan(
  terminal: Terminal,
  given: { readonly environment: string; readonly versionTag: string; readonly commitHash: string },
  options: Options,
): Promise<number> {
  const startedBy = starter(terminal, options);
  const input = accepted(parseDeployToEnvironmentInput({ ...given, startedBy }));
  checkEnvironment(configuration(terminal, options), options, input.environment);
  const ending = await look(terminal, options, (platform) => request(platform, input));
  if (options.json === true) printJson(terminal, ending.result ?? ending);
  else if (options.format === 'markdown') terminal.write(printable(markdown(ending)));
  else for (const line of show(ending)) printLine(terminal, line);
  return exitCodeOf(ending.outcome);
}

/** Plans change nothing, so any number of them may run: the id is one of its own. */
function request(platform: string, input: DeployToEnvironmentInput): Request<DeployToEnvironmentInput> {
  const { environment, versionTag, commitHash } = input;
  return {
    type: 'planDeployment',
    workflowId: `${platform}.plan.${environment}.${versionTag}.${randomBytes(4).toString('hex')}`,
    input,
    summary: `${platform} ${versionTag} → ${environment}: plan`,
    details: `commit \`${commitHash}\`, asked by ${input.startedBy}. Changes nothing.`,
    attributes: { SlipwayPlatform: platform, SlipwayEnvironment: environment, SlipwayVersion: versionTag },
  };
}

function markdown({ outcome, summary, report, result }: Ending): string {
  if (outcome === 'Completed') return planMarkdown(result as DeploymentPlan);
  return report === undefined ? `**${escapeMarkdown(`${outcome}: ${summary}`)}**\n` : reportMarkdown(report);
}

function show({ outcome, summary, report, result }: Ending): string[] {
  if (outcome !== 'Completed') {
    const checks =
      report !== undefined && 'checks' in report ? ['Checks', ...showChecks(report.checks), ''] : [];
    return [...checks, `${outcome}: ${summary}`];
  }
  const planned = result as DeploymentPlan;
  const { evidence, digest, checks } = planned;
  return [
    'Checks',
    ...showChecks(checks),
    '',
    ...showEvidence(evidence, digest),
    ...showTerraform(planned),
    '',
    `It could be deployed: slipway deploy ${evidence.environment} ${evidence.manifest.version} ${evidence.manifest.commit}`,
  ];
}
