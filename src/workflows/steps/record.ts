import { kept } from '../../domain/environment-state.ts';
import type { DeploymentRecord } from '../../domain/ledger.ts';
import { workflowInfo } from '@temporalio/workflow';
import { activities } from '../activities.ts';
import type { DeploymentRun } from '../run/deployment-run.ts';
import { now } from '../run/time.ts';
import type { Deployed } from './change.ts';
import type { Prepared } from './prepare.ts';

/** Writes the status parameter, deletes the settings of releases that leave the ledger, and readies the ledger's record. */
export async function record(run: DeploymentRun, prepared: Prepared, deployed: Deployed): Promise<void> {
  await run.step(
    'record',
    async () => {
      const written = recordOf(run, prepared, deployed);
      run.record = written;
      await writeStatus(run);
      await deleteOldSettings(run, prepared.status.history, written);
    },
    { detail: () => `status parameter written; ${run.release.version} goes to the ledger` },
  );
}

/** Tells the environment's status parameter which release serves. */
export async function writeStatus(run: DeploymentRun): Promise<void> {
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
