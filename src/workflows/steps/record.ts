import { kept } from '../../domain/environment-state.ts';
import type { DeploymentRecord } from '../../domain/ledger.ts';
import { CancellationScope, workflowInfo } from '@temporalio/workflow';
import { activities } from '../activities.ts';
import { explain } from '../failures.ts';
import type { DeploymentRun } from '../run/deployment-run.ts';
import { now } from '../run/time.ts';
import type { Prepared } from './prepare.ts';
import type { Deployed } from './roll-out.ts';

/**
 * Readies the ledger's record, writes the status parameter and deletes the settings of releases that leave the ledger.
 * The release is live and verified: nothing that fails here is a reason to go back, and nobody can stop it any more.
 */
export async function record(run: DeploymentRun, prepared: Prepared, deployed: Deployed): Promise<void> {
  const written = recordOf(run, prepared, deployed);
  await keepRecord(run, written, () => deleteOldSettings(run, prepared.status.history, written));
}

/** Hands `written` to the ledger with the lock's return, and tells the environment's status parameter. */
export async function keepRecord(
  run: DeploymentRun,
  written: DeploymentRecord,
  clearUp: () => Promise<void> = async () => undefined,
): Promise<void> {
  run.record = written;
  await CancellationScope.nonCancellable(() =>
    run.step(
      'record',
      async () => {
        await remarkOn(run, 'the status parameter could not be written', () => writeStatus(run));
        await remarkOn(run, 'old settings could not be deleted', clearUp);
      },
      {
        detail: () =>
          run.remarks.join('; ') || `status parameter written; ${run.release.version} goes to the ledger`,
      },
    ),
  );
}

async function remarkOn(run: DeploymentRun, what: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    run.remarks.push(`${what}: ${explain(error)}`);
  }
}

async function writeStatus(run: DeploymentRun): Promise<void> {
  const { target } = run.policy;
  const { workflowId, runId } = workflowInfo();
  const status = { ...run.release, outcome: 'Completed', at: now(), workflowId, runId };
  await activities('write', 'write the status parameter').writeStatus({
    target,
    status,
    lock: run.lock.proof,
  });
}

function recordOf(
  run: DeploymentRun,
  { manifest, settings }: Prepared,
  { taskDefinitions }: Deployed,
): DeploymentRecord {
  return {
    ...run.recordOf(manifest),
    taskDefinitions,
    desiredCounts: Object.fromEntries(
      run.policy.services.map(({ name, desiredCount }) => [name, desiredCount]),
    ),
    settings: settings.map(({ parameter }) => parameter),
    ...(run.policy.terraform && { terraformCommit: manifest.commit }),
    outcome: 'Completed',
  };
}

async function deleteOldSettings(
  run: DeploymentRun,
  history: readonly DeploymentRecord[],
  written: DeploymentRecord,
): Promise<void> {
  const { target, keepReleases } = run.policy;
  const remembered = kept([written, ...history], keepReleases);
  const inUse = new Set(remembered.flatMap(({ settings }) => settings));
  const names = history.flatMap(({ settings }) => settings).filter((name) => !inUse.has(name));
  if (names.length === 0) return;
  await activities('write', `delete ${names.length} old settings`).deleteSettings({
    target,
    names,
    lock: run.lock.proof,
  });
}
