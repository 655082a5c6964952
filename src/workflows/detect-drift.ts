import { setCurrentDetails } from '@temporalio/workflow';
import type { DriftInput, DriftReport } from '../contract.ts';
import type { EnvironmentStatus } from '../domain/ledger.ts';
import type { EnvironmentPolicy } from '../domain/policy.ts';
import { anythingDrifted } from '../domain/planned-infrastructure.ts';
import { driftMarkdown } from '../domain/render/infrastructure.ts';
import { parseDriftInput } from '../domain/requests.ts';
import { activities } from './activities.ts';
import { accepted, beforehand, Ended } from './failures.ts';
import { lookInTheRightAccount } from './look.ts';
import { markRun } from './run/progress.ts';

/**
 * What others changed of the infrastructure of the release that serves, since Terraform last looked. Changes nothing and
 * takes no lock, neither the environment's nor Terraform's.
 */
export async function detectDrift(input: DriftInput): Promise<DriftReport> {
  const { environment } = accepted(parseDriftInput(input));
  return await beforehand(async () => {
    const read = activities('read', `read the policy of ${environment}`);
    const policy = await read.loadEnvironmentPolicy({ environment });
    const report = await look(policy, await lookInTheRightAccount(policy.target));
    markRun({ SlipwayOutcome: anythingDrifted(report.drift) ? 'Drifted' : 'Completed' });
    setCurrentDetails(driftMarkdown(report));
    return report;
  });
}

async function look(
  { target, terraform }: EnvironmentPolicy,
  { current, holder }: EnvironmentStatus,
): Promise<DriftReport> {
  const { platform, environment } = target;
  if (terraform === undefined) {
    throw new Ended('PreflightFailed', `${environment} has no Terraform in the platform file.`);
  }
  if (current?.terraformCommit === undefined) {
    const why = current === undefined ? 'no release' : `no Terraform of ${current.manifest.version}`;
    throw new Ended('PreflightFailed', `The ledger of ${environment} has ${why} to compare with.`);
  }
  const release = { version: current.manifest.version, commit: current.terraformCommit };
  markRun({ SlipwayPlatform: platform, SlipwayEnvironment: environment, SlipwayVersion: release.version });
  const plan = activities('process', `drift of ${environment}`);
  const drift = await plan.detectDrift({ target, terraform, release });
  return { platform, environment, release, drift, ...(holder && { heldBy: holder.workflowId }) };
}
