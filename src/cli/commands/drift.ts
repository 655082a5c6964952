import { randomBytes } from 'node:crypto';
import type { Command } from 'commander';
import type { DriftReport } from '../../contract.ts';
import { anythingDrifted } from '../../domain/planned-infrastructure.ts';
import { driftRows } from '../../domain/render/infrastructure.ts';
import { parseDriftInput, type DriftInput } from '../../domain/requests.ts';
import { columns } from '../columns.ts';
import { exitCodeOf } from '../exit-codes.ts';
import { accepted } from '../input.ts';
import { look } from '../look.ts';
import { withCommonOptions, withExamples } from '../options.ts';
import type { Run } from '../program.ts';
import { checkEnvironment, configuration, type CommonOptions } from '../session.ts';
import type { Request } from '../start.ts';
import { printJson, printLine, type Terminal } from '../terminal.ts';

export function driftCommand(program: Command, run: Run): void {
  const command = program
    .command('drift')
    .summary('show what others changed of an environment, outside of Terraform')
    .description(
      'Plans the configuration of the release that serves and prints what others have changed of it since the last apply. ' +
        'Changes nothing and takes no lock. The exit code is 0 when nothing was changed.',
    )
    .argument('<environment>', "one of the platform's environments")
    .action(async (environment: string, options: CommonOptions) =>
      run((terminal) => drift(terminal, environment, options)),
    );
  withExamples(withCommonOptions(command), [
    'slipway drift production',
    'slipway drift production --json | jq -r .drift.resources[].address',
  ]);
}

async function drift(terminal: Terminal, environment: string, options: CommonOptions): Promise<number> {
  const input = accepted(parseDriftInput({ environment }));
  checkEnvironment(configuration(terminal, options), options, environment);
  const ending = await look(terminal, options, (platform) => request(platform, input));
  if (options.json === true) printJson(terminal, ending.result ?? ending);
  if (ending.outcome !== 'Completed') {
    if (options.json !== true) printLine(terminal, `${ending.outcome}: ${ending.summary}`);
    return exitCodeOf(ending.outcome);
  }
  const report = ending.result as DriftReport;
  if (options.json !== true) for (const line of show(report)) printLine(terminal, line);
  return exitCodeOf(anythingDrifted(report.drift) ? 'Drifted' : 'Completed');
}

/** It changes nothing, so any number of them may run: the id is one of its own. */
function request(platform: string, input: DriftInput): Request<DriftInput> {
  const { environment } = input;
  return {
    type: 'detectDrift',
    workflowId: `${platform}.drift.${environment}.${randomBytes(4).toString('hex')}`,
    input,
    summary: `${platform} ${environment}: drift`,
    details: 'Looks for what was changed outside of Terraform. Changes nothing.',
    attributes: { SlipwayPlatform: platform, SlipwayEnvironment: environment },
  };
}

function show({ environment, release, drift: found, heldBy }: DriftReport): string[] {
  const where = `${environment} (${release.version}, commit ${release.commit.slice(0, 12)})`;
  if (!anythingDrifted(found)) return [`${where}: nothing was changed outside of Terraform.`];
  return [
    `${where}: changed outside of Terraform`,
    ...columns(driftRows(found), '  '),
    ...(heldBy === undefined ? [] : [`It is held by ${heldBy}: some of this may be that run's own change.`]),
  ];
}
