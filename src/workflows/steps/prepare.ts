import {
  evidenceDigest,
  infrastructureEvidence,
  type Evidence,
  type SettingPlan,
} from '../../domain/evidence.ts';
import { unreachable } from '../../domain/approval.ts';
import { refusal } from '../../domain/environment-state.ts';
import type { EnvironmentStatus } from '../../domain/ledger.ts';
import type { Manifest } from '../../domain/release.ts';
import type { Check } from '../../domain/verdict.ts';
import type { ServicePlan } from '../../activities/ecs/types.ts';
import type { ManifestLookup } from '../../activities/registry/types.ts';
import type { TerraformPlan } from '../../activities/terraform/types.ts';
import { activities } from '../activities.ts';
import { demandPassed, Ended, explain, isCancellation } from '../failures.ts';
import type { DeploymentRun } from '../run/deployment-run.ts';

/** All that is known before anything is changed. */
export interface Prepared {
  readonly manifest: Manifest;
  readonly status: EnvironmentStatus;
  readonly settings: readonly SettingPlan[];
  readonly services: ServicePlan;
  readonly terraform?: TerraformPlan;
  readonly evidence: Evidence;
}

/**
 * The checklist and the plan. All checks run; the run ends with all that did not pass, not the first.
 * @param suffix tells the second time, under the lock, from the first
 * @throws Ended `PreflightFailed` or `ReleaseNotBuilt`
 */
export async function prepare(run: DeploymentRun, suffix = ''): Promise<Prepared> {
  const checked = await run.step(`checklist${suffix}`, () => checklist(run), {
    detail: () => `${run.checks.length} checks passed`,
  });
  return await run.step(`plan${suffix}`, () => plan(run, checked), {
    detail: ({ evidence, terraform }) =>
      `evidence ${evidenceDigest(evidence).slice(7, 19)}${counts(terraform)}`,
  });
}

type Checked = Omit<Prepared, 'terraform' | 'evidence'>;

async function checklist(run: DeploymentRun): Promise<Checked> {
  run.checks.length = 0;
  const { registry, services } = run.policy;
  const { release } = run;
  const [status, commit, lookup] = await Promise.all([
    lookAtEnvironment(run),
    attempt(run, 'commit', () =>
      activities('read', `find ${release.commit.slice(0, 12)}`).findCommit({ commit: release.commit }),
    ),
    attempt(run, 'release', () =>
      activities('read', `find ${release.version} in the registry`).findManifest({
        registry,
        services,
        release,
      }),
    ),
  ]);
  run.previous = status?.current;
  run.manifest = lookup?.kind === 'found' ? lookup.manifest : undefined;
  if (commit !== undefined) run.checks.push(commitCheck(commit));
  if (lookup !== undefined) run.checks.push(releaseCheck(run, lookup));
  if (status !== undefined) run.checks.push(environmentCheck(run, status));
  run.checks.push(approverCheck(run));
  const { manifest } = run;
  const parts = commit?.found === true ? await checkCommit(run, manifest) : undefined;
  failUnlessPassed(run, lookup);
  if (manifest === undefined || status === undefined || parts?.services === undefined) {
    throw new Ended('PreflightFailed', 'the checklist could not be finished');
  }
  return { manifest, status, settings: parts.settings, services: parts.services };
}

/** Looking at an environment may start its keeper, which writes there: only in the account that is meant. */
async function lookAtEnvironment(run: DeploymentRun): Promise<EnvironmentStatus | undefined> {
  const { target } = run.policy;
  const meant = await check(run, 'AWS account', () =>
    activities('read', `is this account ${target.account}?`).checkIdentity({ target }),
  );
  if (!meant) return undefined;
  return await attempt(run, 'environment', () =>
    activities('read', `look at ${target.environment}`).inspectEnvironment(target),
  );
}

/** The checks that read the commit's own files. */
async function checkCommit(
  run: DeploymentRun,
  manifest: Manifest | undefined,
): Promise<{ settings: readonly SettingPlan[]; services: ServicePlan | undefined }> {
  const { target, registry, terraform, requiredParameters, requiredSecrets, services } = run.policy;
  const { release } = run;
  const file = run.policy.settings;
  const settings =
    (await attempt(run, 'settings', () =>
      activities('read', 'read the settings').planSettings({ target, release, ...(file && { file }) }),
    )) ?? [];
  const [planned] = await Promise.all([
    manifest && planServices(run, manifest, settings),
    manifest &&
      checkAll(run, 'scans', () =>
        activities('read', 'scan findings').checkScans({ registry, services, manifest }),
      ),
    checkAll(run, 'required settings', () =>
      activities('read', 'parameters and secrets').checkRequired({
        target,
        parameters: requiredParameters,
        secrets: requiredSecrets,
      }),
    ),
    // Under the lock the plan that follows says the same.
    terraform &&
      !run.lock.held &&
      check(run, 'terraform', () =>
        activities('process', 'terraform validate').checkTerraform({ target, terraform, release }),
      ),
  ]);
  run.somethingRan = planned?.states.some(({ runningCount }) => runningCount > 0) ?? false;
  run.checks.push(...(planned?.checks ?? []), ...(planned?.states ?? []).map(stateCheck));
  return { settings, services: planned };
}

async function planServices(
  run: DeploymentRun,
  manifest: Manifest,
  settings: readonly SettingPlan[],
): Promise<ServicePlan | undefined> {
  const { target, registry, services } = run.policy;
  return await attempt(run, 'services', () =>
    activities('read', 'plan the services').planServices({
      target,
      registry,
      services,
      manifest,
      settings: parametersOf(settings),
      outputs: {},
      rollout: run.policy.rollout,
    }),
  );
}

async function plan(run: DeploymentRun, checked: Checked): Promise<Prepared> {
  const { target, terraform: policy } = run.policy;
  const { release } = run;
  const terraform =
    policy &&
    (await activities('process', 'terraform plan').planTerraform({ target, terraform: policy, release }));
  if (terraform !== undefined && terraform.refusals.length > 0) {
    run.checks.push(...terraform.refusals);
    failUnlessPassed(run, undefined);
  }
  const { manifest, settings, services, status } = checked;
  const { current } = status;
  const evidence: Evidence = {
    manifest,
    environment: target.environment,
    settings,
    references: services.references,
    services: services.services,
    ...canarySchedule(run, services),
    policyDigest: run.policy.digest,
    ...(terraform && infrastructureEvidence(terraform)),
    ...(current && { running: { version: current.manifest.version, commit: current.manifest.commit } }),
  };
  return { ...checked, evidence, ...(terraform && { terraform }) };
}

function canarySchedule(run: DeploymentRun, { services }: ServicePlan): Pick<Evidence, 'canary'> {
  const { canary } = run.policy.rollout;
  if (canary === undefined || !services.some(({ rollout }) => rollout === 'canary')) return {};
  const { steps, bakeSeconds, deadMan } = canary;
  return { canary: { steps, bakeSeconds, deadMan } };
}

/** The SSM parameter of each of the release's settings, by key. */
export function parametersOf(settings: readonly SettingPlan[]): Record<string, string> {
  return Object.fromEntries(settings.map(({ key, parameter }) => [key, parameter]));
}

// --- checks ------------------------------------------------------------------------------------------------------

/** Runs one look of the checklist; one that cannot be done is a check that did not pass. */
async function attempt<T>(run: DeploymentRun, name: string, look: () => Promise<T>): Promise<T | undefined> {
  try {
    return await look();
  } catch (error) {
    if (isCancellation(error)) throw error;
    run.checks.push({ name, passed: false, detail: explain(error) });
    return undefined;
  }
}

/** @returns whether it passed */
async function check(run: DeploymentRun, name: string, look: () => Promise<Check>): Promise<boolean> {
  const found = await attempt(run, name, look);
  if (found !== undefined) run.checks.push(found);
  return found?.passed === true;
}

async function checkAll(run: DeploymentRun, name: string, look: () => Promise<Check[]>): Promise<void> {
  run.checks.push(...((await attempt(run, name, look)) ?? []));
}

function failUnlessPassed(run: DeploymentRun, lookup: ManifestLookup | undefined): void {
  demandPassed(run.checks, lookup?.kind === 'not built' ? 'ReleaseNotBuilt' : 'PreflightFailed');
}

function commitCheck(lookup: { found: true } | { found: false; detail: string }): Check {
  return { name: 'commit', passed: lookup.found, detail: lookup.found ? 'in the repository' : lookup.detail };
}

function releaseCheck(run: DeploymentRun, lookup: ManifestLookup): Check {
  const { version } = run.release;
  const detail =
    lookup.kind === 'found'
      ? `${version} is built: ${Object.keys(lookup.manifest.images).length} images`
      : lookup.detail;
  return { name: 'release', passed: lookup.kind === 'found', detail };
}

function environmentCheck(run: DeploymentRun, status: EnvironmentStatus): Check {
  const { environment } = run.policy.target;
  const reason = refusal({ ...status, environment }, {});
  const bound = boundElsewhere(run, status);
  const detail =
    reason ??
    bound ??
    `takes deployments${status.holder === undefined ? '' : `; held by ${status.holder.workflowId}`}`;
  return { name: 'environment', passed: reason === undefined && bound === undefined, detail };
}

/** A version is one commit's for good, as far as the ledger remembers. */
function boundElsewhere(run: DeploymentRun, { history }: EnvironmentStatus): string | undefined {
  const { version, commit } = run.release;
  const other = history.find(({ manifest }) => manifest.version === version && manifest.commit !== commit);
  return (
    other &&
    `${version} is commit ${other.manifest.commit} in the ledger, not ${commit}: a release is immutable, use a new version`
  );
}

function approverCheck(run: DeploymentRun): Check {
  const { approval } = run.policy;
  if (approval === undefined) return { name: 'approvers', passed: true, detail: 'no approval is asked' };
  const short = unreachable(approval, run.startedBy);
  const detail = short.map(
    ({ group, count, candidates }) =>
      `${group} can never give ${count} of its approvals: only ${candidates.join(', ') || 'nobody'} may, and nobody counts for two groups`,
  );
  return { name: 'approvers', passed: short.length === 0, detail: detail.join('; ') || 'can be reached' };
}

/** A rollback needs a good state to go back to; where nothing serves yet it is a first deployment. */
function stateCheck(state: ServicePlan['states'][number]): Check {
  const first = !state.exists || (state.desiredCount === 0 && state.runningCount === 0);
  return {
    name: `service ${state.service}`,
    passed: first || state.serving,
    detail: first
      ? 'first deployment: there is nothing to go back to, its undo is desired count 0'
      : state.detail,
  };
}

function counts(terraform: TerraformPlan | undefined): string {
  if (terraform === undefined) return '';
  const { create, update, replace, delete: destroyed } = terraform.changeSet.counts;
  return `; terraform: ${create} to add, ${update} to change, ${replace} to replace, ${destroyed} to destroy`;
}
