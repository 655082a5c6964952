import type { DeployInput, DeployToEnvironmentInput } from '../contract.ts';
import { proposalOf } from '../domain/deployment-plan.ts';
import { describeChange, evidenceDigest } from '../domain/evidence.ts';
import type { DeploymentReport } from '../domain/report.ts';
import { parseDeployInput, parseDeployToEnvironmentInput } from '../domain/requests.ts';
import { accepted } from './failures.ts';
import { DeploymentRun } from './run/deployment-run.ts';
import { Inbox } from './run/inbox.ts';
import { now } from './run/time.ts';
import { whatItTakes } from './starter.ts';
import { approval } from './steps/approve.ts';
import { promote, settings } from './steps/change.ts';
import { infrastructure } from './steps/infrastructure.ts';
import { prepare, type Prepared } from './steps/prepare.ts';
import { record } from './steps/record.ts';
import { rollOutAll, type Deployed } from './steps/roll-out.ts';
import { verify } from './steps/verify.ts';

/** Deploys a release to the environment `development`. */
export async function deployToDevelopment(input: DeployInput): Promise<DeploymentReport> {
  return await deploy('development', accepted(parseDeployInput(input)));
}

/** Deploys a release to the environment `staging`. */
export async function deployToStaging(input: DeployInput): Promise<DeploymentReport> {
  return await deploy('staging', accepted(parseDeployInput(input)));
}

/** Deploys a release to the environment `production`. */
export async function deployToProduction(input: DeployInput): Promise<DeploymentReport> {
  return await deploy('production', accepted(parseDeployInput(input)));
}

/** Deploys a release to any environment of the platform. */
export async function deployToEnvironment(input: DeployToEnvironmentInput): Promise<DeploymentReport> {
  const { environment, ...release } = accepted(parseDeployToEnvironmentInput(input));
  return await deploy(environment, release);
}

async function deploy(environment: string, input: DeployInput): Promise<DeploymentReport> {
  const inbox = new Inbox();
  inbox.listen();
  const release = { version: input.versionTag, commit: input.commitHash };
  const { policy, startedBy } = await whatItTakes(environment, input);
  if (policy.rollout.canary !== undefined) inbox.expectCanary();
  const run = new DeploymentRun({ policy, release, startedBy, inbox });
  return await run.conduct(async () => {
    await run.people.notify('started', `${startedBy} deploys ${release.version} to ${environment}`);
    const prepared = await agree(run);
    await recordUndo(run);
    const deployed = await change(run, prepared);
    await deployed.beside(() => verify(run, prepared.manifest, deployed));
    await deployed.complete();
    await record(run, prepared, deployed);
  });
}

/** Plans, asks, takes the lock, and plans again: what is applied is what was approved. */
async function agree(run: DeploymentRun): Promise<Prepared> {
  let prepared = await prepare(run);
  await approval(run, proposalOf(prepared));
  for (let attempt = 1; ; attempt++) {
    await run.step(
      'lock',
      () => run.lock.hold({ purpose: `deploy ${run.release.version}`, ...(attempt > 1 && { front: true }) }),
      { detail: () => 'granted' },
    );
    const again = await prepare(run, ' under the lock');
    const changed = describeChange(prepared.evidence, again.evidence);
    prepared = again;
    if (evidenceDigest(again.evidence) === evidenceDigest(run.ballot.evidence ?? again.evidence))
      return again;
    if (run.policy.approval === undefined) {
      run.ballot.present(proposalOf(again));
      return again;
    }
    await run.lock.release();
    await approval(run, proposalOf(again), changed);
  }
}

async function recordUndo(run: DeploymentRun): Promise<void> {
  const previousVersion = run.previous?.manifest.version;
  await run.lock.recordUndo({
    version: run.release.version,
    recordedAt: now(),
    ...(previousVersion !== undefined && { previousVersion }),
  });
}

async function change(run: DeploymentRun, prepared: Prepared): Promise<Deployed> {
  await promote(run, prepared);
  await settings(run, prepared);
  const outputs = await infrastructure(run, prepared);
  return await rollOutAll(run, prepared, outputs);
}
