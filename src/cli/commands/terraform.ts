import type { Command } from 'commander';
import { withCommonOptions, withExamples } from '../options.ts';
import type { Run } from '../program.ts';
import type { RecoverOptions } from '../recover.ts';
import type { UnlockOptions } from '../unlock.ts';

export function terraformCommand(program: Command, run: Run): void {
  const terraform = program
    .command('terraform')
    .summary("put an environment's Terraform state right")
    .description(
      "Puts an environment's Terraform state right after an apply that ended badly: on the host, as the user and with the settings of the worker.",
    );
  withExamples(terraform, ['slipway terraform recover --help']);
  recoverCommand(terraform, run);
  unlockCommand(terraform, run);
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

function unlockCommand(terraform: Command, run: Run): void {
  const command = terraform
    .command('unlock')
    .summary('release a state lock that a dead terraform left')
    .description(
      'Releases a state lock, with the backend, the credentials and the configuration of the environment. Beside what `terraform force-unlock` does it makes sure that it is this ' +
        'lock that is held (which `force-unlock` leaves unchecked with some backends), that no apply of the environment runs on this host, and that no run may change the environment meanwhile. ' +
        'Whether a terraform still runs elsewhere is for you to know: it shows who took the lock, and asks.',
    )
    .requiredOption('--environment <name>', "one of the platform's environments")
    .requiredOption('--id <id>', 'the lock, as the run or terraform names it')
    .option(
      '--commit <hash>',
      'a commit whose configuration has the backend (default: of the release that waits for a decision, or serves)',
    )
    .option('--yes', 'release without asking; also while no Temporal server or worker answers')
    .action(async (options: UnlockOptions) =>
      run(async (terminal) => {
        const { unlock } = await import('../unlock.ts');
        return await unlock(terminal, options);
      }),
    );
  withExamples(withCommonOptions(command), [
    'slipway terraform unlock --environment production --id 9db590f1-b6fe-c5f2-2678-8804f089deba',
  ]);
}
