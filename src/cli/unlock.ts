import { keptStates } from '../activities/terraform/state/errored-state.ts';
import { describeLock } from '../activities/terraform/apply/interruption.ts';
import { unlockState } from '../activities/terraform/by-hand/unlock.ts';
import { exitCodeOf } from './exit-codes.ts';
import { standstill, type Standstill } from './standstill.ts';
import { printJson, printLine, type Terminal } from './terminal.ts';
import { demandStandstill, demandYes, explained, fullCommit, nextCommand } from './terraform-console.ts';
import { invalid, tell, terraformConsole, type TerraformOptions } from './terraform-console.ts';

export interface UnlockOptions extends TerraformOptions {
  readonly id: string;
}

/** Releases a state lock that a dead terraform left, after checks and a person's yes. @returns the exit code */
export async function unlock(terminal: Terminal, options: UnlockOptions): Promise<number> {
  const { dependencies, environment, supervisor } = terraformConsole(terminal, options);
  const { id, environment: name } = options;
  return await explained(async () => {
    const still = await standstill(terminal, options, name);
    demandStandstill(still, options);
    const release = { version: 'unknown', commit: commitOf(options, still) };
    tell(terminal, [`${still.detail}.`, `Looking at the state lock of ${name} ...`]);
    const unlocking = { input: { ...environment, release }, id };
    const released = await unlockState(dependencies, unlocking, supervisor, async (lock) => {
      const kept = await keptStates(dependencies.dataDirectory, environment.target);
      tell(terminal, [`It is held: ${describeLock(lock)}.`, ...kept.map(unsaved)]);
      await demandYes(terminal, options, `Release it? Is it certain that nothing runs under it any more?`);
    });
    const next = nextCommand(still, options);
    if (options.json === true) printJson(terminal, { environment: name, released: released ?? null, next });
    else {
      const said = released === undefined ? 'is not locked' : `is not locked any more: ${id} is released`;
      printLine(terminal, `The state of ${name} ${said}.`);
      printLine(terminal, `Go on: ${next}`);
    }
    return exitCodeOf('Completed');
  });
}

/** @throws CommandError `InvalidInput` when nothing tells it */
function commitOf({ commit: given, environment }: UnlockOptions, still: Standstill): string {
  const known = still.kind === 'waits' || still.kind === 'free' ? still.commit : undefined;
  const commit = given ?? known;
  if (commit !== undefined) return fullCommit(commit);
  throw invalid(
    `Nothing tells which configuration ${environment} has: give a --commit that has its backend.`,
  );
}

function unsaved(file: string): string {
  return `A state that could not be saved is kept in ${file}: recover it before anything is applied (slipway terraform recover).`;
}
