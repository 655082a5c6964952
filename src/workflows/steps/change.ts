/** The steps that change an environment, each with what takes it back. */
import { workflowInfo } from '@temporalio/workflow';
import type { ServiceState } from '../../activities/ecs/types.ts';
import type { Outputs, TerraformActivities, TerraformApplied } from '../../activities/terraform/types.ts';
import type { ServicePolicy } from '../../domain/policy.ts';
import { activities } from '../activities.ts';
import { Ended, explain, failureType } from '../failures.ts';
import type { DeploymentRun } from '../run/deployment-run.ts';
import type { Undo } from '../run/saga.ts';
import { now } from '../run/time.ts';
import { parametersOf, type Prepared } from './prepare.ts';

export interface Deployed {
  readonly outputs: Outputs;
  /** Task definition ARN per service. */
  readonly taskDefinitions: Readonly<Record<string, string>>;
  /** When the first rollout began, ISO 8601. */
  readonly rolledOutSince: string;
}

/** Puts the environment's tag on the digests that were tested. Nothing is rebuilt, no tag is moved. */
export async function promote(run: DeploymentRun, { manifest, status }: Prepared): Promise<void> {
  const { registry, services, target } = run.policy;
  const { proof: lock } = run.lock;
  const tag = `${target.environment}-${manifest.version}`;
  // A release that was live here before has its tag already, and a rollback to it must find it.
  if (
    status.history.some((past) => past.outcome === 'Completed' && past.manifest.version === manifest.version)
  )
    return;
  await run.step(
    'images',
    () => activities('write', `tag ${tag}`).promoteImages({ registry, services, manifest, tag, lock }),
    {
      detail: (tagged) => `${tag} on ${tagged.length} images`,
      undo: async () => {
        const untagged = await activities('undoWrite', `take ${tag} off`).withdrawPromotion({
          registry,
          services,
          manifest,
          tag,
          lock,
        });
        return undone(untagged, (names) => `${tag} taken off ${names.join(', ')}`);
      },
    },
  );
}

/** Writes the release's settings to parameters of its own, so that no running task ever reads another value. */
export async function settings(run: DeploymentRun, { settings: planned, status }: Prepared): Promise<void> {
  const { target, settings: file } = run.policy;
  if (planned.length === 0) return;
  const { release } = run;
  const { proof: lock } = run.lock;
  const kept = new Set(status.history.flatMap((past) => past.settings));
  const names = planned.map(({ parameter }) => parameter).filter((name) => !kept.has(name));
  await run.step(
    'settings',
    () =>
      activities('write', `write ${planned.length} settings`).writeSettings({
        target,
        release,
        lock,
        ...(file && { file }),
      }),
    {
      detail: (written) => `${written.length} parameters of ${release.version}`,
      undo: async () =>
        undone(
          await activities('undoWrite', 'delete the settings').deleteSettings({ target, names, lock }),
          (deleted) => `${deleted.length} parameters deleted`,
        ),
    },
  );
}

/** Applies the approved change set. @returns the environment's outputs */
export async function infrastructure(run: DeploymentRun, { terraform: plan }: Prepared): Promise<Outputs> {
  const { target, terraform } = run.policy;
  if (terraform === undefined || plan === undefined) return {};
  const { release } = run;
  const { proof: lock } = run.lock;
  const input = { target, terraform, release };
  const approved = plan.changeSet;
  const { counts } = approved;
  if (approved.changes.length === 0) {
    return await run.step('terraform', () => activities('process', 'terraform output').readOutputs(input), {
      detail: () => 'no changes',
    });
  }
  const applied = await run.step('terraform', () => apply(run, { ...input, approved, lock }), {
    detail: () =>
      `${counts.create} added, ${counts.update} changed, ${counts.replace} replaced, ${counts.delete} destroyed`,
    undo: restoreTerraform(run),
  });
  return applied.outputs;
}

/** An apply that was killed half-way may have made what the state does not know: a person looks before it goes on. */
async function apply(
  run: DeploymentRun,
  input: Parameters<TerraformActivities['applyTerraform']>[0],
): Promise<TerraformApplied> {
  for (let resuming = false; ; resuming = true) {
    try {
      return await activities('process', 'terraform apply').applyTerraform({
        ...input,
        ...(resuming && { resuming }),
      });
    } catch (error) {
      if (failureType(error) !== 'ApplyInterrupted') throw error;
      const { action, by } = await run.people.decide(explain(error), ['retry', 'rollback']);
      if (action === 'rollback')
        throw new Ended('RolledBack', `${explain(error)} (${by} decided to go back)`);
    }
  }
}

function restoreTerraform(run: DeploymentRun): Undo {
  return async () => {
    const { target, terraform } = run.policy;
    const commit = run.previous?.terraformCommit;
    if (terraform === undefined || run.previous === undefined || commit === undefined) {
      return {
        outcome: 'nothing to undo',
        detail: 'first deployment: its infrastructure stays, there is no earlier configuration',
      };
    }
    const release = { version: run.previous.manifest.version, commit };
    const { proof: lock } = run.lock;
    const { changed } = await activities('undo', `terraform back to ${release.version}`).restoreTerraform({
      target,
      terraform,
      release,
      lock,
    });
    return changed
      ? { outcome: 'undone', detail: `the configuration of ${release.version} applied` }
      : { outcome: 'nothing to undo', detail: `the configuration of ${release.version} was in place` };
  };
}

/** Registers the task definitions, runs the migration, and rolls the services out in dependency order. */
export async function rollOutAll(
  run: DeploymentRun,
  prepared: Prepared,
  outputs: Outputs,
): Promise<Deployed> {
  const taskDefinitions: Record<string, string> = {};
  await run.step(
    'task definitions',
    async () => {
      for (const service of run.policy.services) {
        taskDefinitions[service.name] = await registerTaskDefinition(run, prepared, service, outputs);
      }
    },
    { detail: () => Object.values(taskDefinitions).map(revisionOf).join(', ') },
  );
  await migrate(run, taskDefinitions);
  const rolledOutSince = now();
  for (const service of run.policy.services) {
    await rollOut(run, service, taskDefinitions[service.name] ?? '', previousState(prepared, service));
  }
  return { outputs, taskDefinitions, rolledOutSince };
}

async function registerTaskDefinition(
  run: DeploymentRun,
  { manifest, settings: planned }: Prepared,
  service: ServicePolicy,
  outputs: Outputs,
): Promise<string> {
  const { target, registry } = run.policy;
  const { proof: lock } = run.lock;
  return await activities('write', `task definition of ${service.name}`).registerTaskDefinition({
    target,
    registry,
    service,
    manifest,
    settings: parametersOf(planned),
    outputs,
    lock,
  });
}

async function migrate(run: DeploymentRun, taskDefinitions: Readonly<Record<string, string>>): Promise<void> {
  const { migration, services: all, target } = run.policy;
  const service = all.find(({ name }) => name === migration?.service);
  if (migration === undefined || service === undefined) return;
  const { proof: lock } = run.lock;
  const taskDefinition = taskDefinitions[service.name] ?? '';
  const input = { target, service, taskDefinition, migration, lock };
  const startedBy = (direction: string) => `${direction}-${workflowInfo().firstExecutionRunId}`.slice(0, 36);
  await run.step(
    'migration',
    async () => {
      const done = await activities('process', migration.command.join(' ')).runMigration({
        ...input,
        direction: 'do',
        startedBy: startedBy('m'),
      });
      if (done.exitCode !== 0) throw new Ended('RolledBack', `the migration failed: ${done.detail}`);
    },
    {
      undo: async () => {
        if (migration.undo === undefined)
          return { outcome: 'not possible', detail: 'the migration is declared irreversible' };
        const back = await activities('undo', migration.undo.join(' ')).runMigration({
          ...input,
          direction: 'undo',
          startedBy: startedBy('u'),
        });
        return back.exitCode === 0
          ? { outcome: 'undone', detail: migration.undo.join(' ') }
          : { outcome: 'failed', detail: `the migration's undo failed: ${back.detail}` };
      },
    },
  );
}

async function rollOut(
  run: DeploymentRun,
  service: ServicePolicy,
  taskDefinition: string,
  previous: ServiceState,
): Promise<void> {
  const { target, rollout: policy } = run.policy;
  const { proof: lock } = run.lock;
  await run.step(
    `roll out ${service.name}`,
    async () => {
      const rollout = await activities('write', `start ${service.name}`).startRollout({
        target,
        service,
        taskDefinition,
        rollout: policy,
        lock,
      });
      run.note(rollout.serviceDeploymentArn ?? 'already runs this release');
      const verdict = await activities('process', `follow ${service.name}`).followRollout({
        target,
        service,
        rollout,
        policy,
      });
      if (verdict.outcome !== 'pass')
        throw new Ended('RolledBack', `${service.name} did not roll out: ${verdict.reasons.join('; ')}`);
    },
    {
      undo: async () =>
        await activities('undo', `${service.name} back to what ran`).restoreService({
          target,
          service,
          previous,
          rollout: policy,
          lock,
        }),
      detail: () => `${service.desiredCount} tasks on ${run.release.version}`,
    },
  );
}

function previousState({ services: { states } }: Prepared, { name }: ServicePolicy): ServiceState {
  const state = states.find(({ service }) => service === name);
  if (state === undefined) throw new Ended('PreflightFailed', `the plan says nothing of the service ${name}`);
  return state;
}

function undone(
  names: readonly string[],
  detail: (names: readonly string[]) => string,
): Awaited<ReturnType<Undo>> {
  return names.length === 0
    ? { outcome: 'nothing to undo', detail: 'nothing was there' }
    : { outcome: 'undone', detail: detail(names) };
}

/** The short name of a task definition's ARN, such as `editor:7`. */
function revisionOf(arn: string): string {
  return arn.split('/').at(-1) ?? arn;
}
