import type { RollbackInput } from '../contract.ts';
import type { ServiceState } from '../activities/ecs/types.ts';
import type { Outputs } from '../activities/terraform/types.ts';
import type { DeploymentRecord, EnvironmentStatus } from '../domain/ledger.ts';
import type { DeploymentReport } from '../domain/report.ts';
import { parseRollbackInput } from '../domain/requests.ts';
import { judgeRollback, lostOnTheWay, originLeft } from '../domain/rollback.ts';
import { activities } from './activities.ts';
import { accepted, beforehand, demandPassed, Ended } from './failures.ts';
import { lookInTheRightAccount } from './look.ts';
import { DeploymentRun } from './run/deployment-run.ts';
import { Inbox } from './run/inbox.ts';
import { now } from './run/time.ts';
import { whatItTakes } from './starter.ts';
import { goBack } from './steps/go-back.ts';
import { keepRecord } from './steps/record.ts';
import { verifyRestored } from './steps/verify.ts';

/** Puts an environment back on a release that its ledger knows: settings, Terraform configuration and task definitions. */
export async function rollbackDeployment(input: RollbackInput): Promise<DeploymentReport> {
  const inbox = new Inbox();
  inbox.listen();
  const request = accepted(parseRollbackInput(input));
  const { environment } = request;
  const { policy, startedBy } = await whatItTakes(environment, request);
  const status = await beforehand(() => lookInTheRightAccount(policy.target));
  const target = judgeRollback(request, status);
  const commit = target.kind === 'possible' ? target.record.manifest.commit : 'unknown';
  const run = new DeploymentRun({
    policy,
    release: { version: request.targetVersion, commit },
    startedBy,
    inbox,
  });
  return await run.conduct(async () => {
    run.previous = status.current;
    if (target.kind === 'refused') throw new Ended('PreflightFailed', target.reason);
    await run.people.notify(
      'started',
      `${startedBy} rolls ${environment} back from ${request.failedVersion} to ${request.targetVersion}: ${request.reason ?? 'no reason given'}`,
    );
    await revert(run, request, target.record);
  });
}

async function revert(run: DeploymentRun, request: RollbackInput, target: DeploymentRecord): Promise<void> {
  run.manifest = target.manifest;
  const states = await run.step('checklist', () => checklist(run, target), {
    detail: () => `${run.checks.length} checks passed`,
  });
  await run.step('lock', () =>
    run.lock.hold({ purpose: `roll back to ${request.targetVersion}`, front: true, mayTakeDirty: true }),
  );
  const status = await run.step('look under the lock', () => stillAsked(run, request));
  await run.lock.recordUndo({
    version: request.failedVersion,
    previousVersion: request.targetVersion,
    recordedAt: now(),
  });
  run.goOneWay();
  const { outputs, left } = await infrastructure(run, target, status);
  for (const service of run.policy.services) await backTo(run, service.name, target, states);
  await verifyRestored(run, target.manifest, { outputs, taskDefinitions: target.taskDefinitions });
  // The services are back, which matters most; but this is not the release as it was, and no record must say so.
  if (left !== undefined) {
    run.serving = target.manifest;
    throw new Ended('RollbackIncomplete', `${request.targetVersion} serves and is verified; but ${left}`);
  }
  await keepRecord(run, {
    ...target,
    ...run.recordOf(target.manifest),
    beyondRecall: [],
    outcome: 'Completed',
    reason: `rolled back from ${request.failedVersion}: ${request.reason ?? 'no reason given'}`,
  });
}

/** While this run waited for the lock another may have ended, and what was to be left may not run any more. */
async function stillAsked(run: DeploymentRun, request: RollbackInput): Promise<EnvironmentStatus> {
  const { target } = run.policy;
  const status = await activities('read', `look at ${target.environment}`).inspectEnvironment(target);
  const judged = judgeRollback(request, status);
  if (judged.kind === 'refused') throw new Ended('PreflightFailed', judged.reason);
  run.previous = status.current;
  return status;
}

/** The target must still be there in full: its account, images, settings and task definitions. */
async function checklist(run: DeploymentRun, target: DeploymentRecord): Promise<ServiceState[]> {
  const { target: where, registry, services, requiredSecrets } = run.policy;
  const { version, commit } = target.manifest;
  run.checks.push(
    await activities('read', `is this account ${where.account}?`).checkIdentity({ target: where }),
  );
  // A service that came after this release has no image of it, and is left as it is.
  const had = services.filter(({ name }) => target.manifest.images[name] !== undefined);
  const lookup = await activities('read', `find ${version} in the registry`).findManifest({
    registry,
    services: had,
    release: { version, commit },
  });
  const same =
    lookup.kind === 'found' &&
    had.every(({ name }) => lookup.manifest.images[name] === target.manifest.images[name]);
  const detail =
    lookup.kind === 'found'
      ? same
        ? 'images are there'
        : 'the images are not those that were deployed'
      : lookup.detail;
  run.checks.push({ name: 'release', passed: same, detail });
  const names = { target: where, parameters: target.settings, secrets: requiredSecrets };
  run.checks.push(...(await activities('read', 'parameters and secrets').checkRequired(names)));
  const revisions = { target: where, taskDefinitions: target.taskDefinitions };
  run.checks.push(...(await activities('read', 'task definitions').checkTaskDefinitions(revisions)));
  demandPassed(run.checks, 'PreflightFailed');
  return await activities('read', 'what runs now?').describeServices({ target: where, services });
}

/** What of the infrastructure a person left as it was. */
interface Infrastructure {
  readonly outputs: Outputs;
  readonly left?: string;
}

async function infrastructure(
  run: DeploymentRun,
  target: DeploymentRecord,
  status: EnvironmentStatus,
): Promise<Infrastructure> {
  const { target: where, terraform } = run.policy;
  const commit = target.terraformCommit;
  if (terraform === undefined || commit === undefined) return { outputs: {} };
  const release = { version: target.manifest.version, commit };
  const input = { target: where, terraform, release };
  const asTheyAre = () => activities('process', 'terraform output').readOutputs(input);
  if (commit === status.current?.terraformCommit && status.dirty === undefined) {
    return {
      outputs: await run.step('terraform', asTheyAre, { detail: () => 'the same configuration' }),
    };
  }
  const { proof: lock } = run.lock;
  const from = originLeft(status);
  const lost = lostOnTheWay(target, status);
  const went = await run.step('terraform', () => goBack(run, { ...input, lock, ...(from && { from }) }), {
    detail: ({ kind, detail }) =>
      kind === 'back' && lost.length > 0 ? `${detail}; did not come back: ${lost.join(' ')}` : detail,
  });
  if (went.kind === 'back') return { outputs: went.applied.outputs };
  return { outputs: await asTheyAre(), left: went.detail };
}

async function backTo(
  run: DeploymentRun,
  name: string,
  target: DeploymentRecord,
  states: readonly ServiceState[],
): Promise<void> {
  const { target: where, rollout: policy, services } = run.policy;
  const service = services.find((candidate) => candidate.name === name);
  const taskDefinition = target.taskDefinitions[name];
  if (service === undefined || taskDefinition === undefined) return;
  const { proof: lock } = run.lock;
  const count = target.desiredCounts[name] ?? service.desiredCount;
  const before = states.find(({ service: s }) => s === name)?.taskDefinition ?? 'nothing';
  await run.step(
    `roll back ${name}`,
    async () => {
      // Whatever is under way is stopped: a person has ordered it.
      await activities(
        'process',
        `${name} back to ${target.manifest.version}`,
        policy.timeoutSeconds,
      ).restoreService({
        target: where,
        service,
        previous: asItWas(name, taskDefinition, count),
        rollout: policy,
        lock,
      });
    },
    { detail: () => `from ${before}` },
  );
}

/** The state of a service on the release that is gone back to. */
function asItWas(service: string, taskDefinition: string, desiredCount: number): ServiceState {
  const steady = { stable: true, serving: true, detail: 'as the ledger has it' };
  return { service, exists: true, taskDefinition, desiredCount, runningCount: desiredCount, ...steady };
}
