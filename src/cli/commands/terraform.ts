import type { Command } from 'commander';
import { withCommonOptions, withExamples } from '../options.ts';
import type { Run } from '../program.ts';
import type { RecoverOptions } from '../recover.ts';

export function terraformCommand(program: Command, run: Run): void {
  const terraform = program
    .command('terraform')
    .summary("put an environment's Terraform state right")
    .description(
      "Puts an environment's Terraform state right after an apply that ended badly: on the host, as the user and with the settings of the worker.",
    );
  withExamples(terraform, ['slipway terraform recover --help']);
  recoverCommand(terraform, run);
}

function recoverCommand(terraform: Command, run: Run): void {
  const command = terraform
    .command('recover')
    .summary('push a state that terraform could not save')
    .description(
      'Pushes a state that an apply could not save to its backend, so that nothing that was made is forgotten. The file is on the host of the worker that kept it. ' +
        'It shows what the backend would get to know, asks, pushes, reads it back, removes the file, and says how the run goes on. Nothing is pushed (exit code 9) when ' +
        'the file is of another lineage than the backend or not newer, when somebody holds the state lock, or when a run may change the environment meanwhile.',
    )
    .requiredOption('--environment <name>', "one of the platform's environments")
    .requiredOption('--state <file>', 'the file, as the run that could not save it names it')
    .option(
      '--commit <hash>',
      'the commit whose configuration was applied (default: as the note beside the file says)',
    )
    .option('--yes', 'push without asking; also while no Temporal server or worker answers')
    .action(async (options: RecoverOptions) =>
      run(async (terminal) => {
        // The AWS SDK takes longer to load than all the rest; few commands need it.
        const { recover } = await import('../recover.ts');
        return await recover(terminal, options);
      }),
    );
  withExamples(withCommonOptions(command), [
    'slipway terraform recover --environment production --state .slipway/terraform/errored/notes.production.20261123T101500Z.5f1c9d0a7b21.tfstate',
  ]);
}
