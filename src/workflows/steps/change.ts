/** The steps that change an environment, each with what takes it back. */
import { ApplicationFailure, CancellationScope, workflowInfo } from '@temporalio/workflow';
import type { ServiceState } from '../../activities/ecs/types.ts';
import type { Outputs, TerraformActivities, TerraformApplied } from '../../activities/terraform/types.ts';
import type { ServicePolicy } from '../../domain/policy.ts';
import type { DecidePayload } from '../../domain/requests.ts';
import { activities } from '../activities.ts';
import { Ended, explain, failureDetails, failureType } from '../failures.ts';
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
export async function promote(run: DeploymentRun, { manifest }: Prepared): Promise<void> {
  const { registry, services, target } = run.policy;
  const { proof: lock } = run.lock;
  const tag = `${target.environment}-${manifest.version}`;
  const input = { registry, manifest, tag };
  const there = await activities('read', `who has ${tag}?`).existingPromotions({ ...input, services });
  const added = services.filter(({ name }) => !there.includes(name));
  if (added.length === 0) return;
  await run.step(
    'images',
    () => activities('write', `tag ${tag}`).promoteImages({ ...input, services: added, lock }),
    {
      detail: (tagged) => `${tag} on ${tagged.length} images`,
      undo: async () => {
        const untag = activities('undoWrite', `take ${tag} off`);
        const untagged = await untag.withdrawPromotion({ ...input, services: added, lock });
        return undone(untagged, (names) => `${tag} taken off ${names.join(', ')}`);
      },
    },
  );
}

/** Writes the release's settings to parameters of its own, so that no running task ever reads another value. */
export async function settings(run: DeploymentRun, { settings: planned }: Prepared): Promise<void> {
  const { target, settings: file } = run.policy;
  if (planned.length === 0) return;
  const { release } = run;
  const { proof: lock } = run.lock;
  const all = planned.map(({ parameter }) => parameter);
  const there = await activities('read', 'settings that are there').existingSettings({ target, names: all });
  const names = all.filter((name) => !there.includes(name));
  const input = { target, release, lock, ...(file && { file }) };
  await run.step('settings', () => activities('write', `write ${all.length} settings`).writeSettings(input), {
    detail: (written) => `${written.length} parameters of ${release.version}`,
    undo: async () => {
      if (names.length === 0) return undone([], String);
      const deleted = await activities('undoWrite', 'delete the settings').deleteSettings({
        target,
        names,
        lock,
      });
      return undone(deleted, () => `${deleted.length} parameters deleted`);
    },
  });
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
  const apply = new Apply(run, { ...input, approved, lock });
  const applied = await run.step('terraform', () => apply.do(), {
    detail: () =>
      `${counts.create} added, ${counts.update} changed, ${counts.replace} replaced, ${counts.delete} destroyed`,
    undo: () => apply.undo(),
  });
  return applied.outputs;
}

/** One apply, and whether there is anything of it to take back. */
class Apply {
  readonly #run: DeploymentRun;
  readonly #input: Parameters<TerraformActivities['applyTerraform']>[0];
  /** Until an attempt says that it did not: an answer may be lost. */
  #mayHaveBegun = true;

  constructor(run: DeploymentRun, input: Parameters<TerraformActivities['applyTerraform']>[0]) {
    this.#run = run;
    this.#input = input;
  }

  /** An apply that was killed half-way may have made what the state does not know: a person looks before it goes on. */
  async do(): Promise<TerraformApplied> {
    for (let resuming = false; ; resuming = true) {
      try {
        const processes = activities('process', 'terraform apply');
        return await processes.applyTerraform({ ...this.#input, ...(resuming && { resuming }) });
      } catch (error) {
        if (failureType(error) !== 'ApplyInterrupted') {
          this.#mayHaveBegun = resuming || failureDetails(error)?.['started'] !== false;
          throw error;
        }
        const { action, by } = await this.#ask(explain(error));
        if (action === 'rollback')
          throw new Ended('RolledBack', `${explain(error)} (${by} decided to go back)`);
      }
    }
  }

  /** Also of a run that is being stopped: what the state does not know is not forgotten for it. */
  async #ask(what: string): Promise<DecidePayload> {
    return await CancellationScope.nonCancellable(() => this.#run.people.decide(what, ['retry', 'rollback']));
  }

  async undo(): ReturnType<Undo> {
    const { target, terraform, lock, approved: failed } = this.#input;
    const { previous } = this.#run;
    if (!this.#mayHaveBegun) return { outcome: 'nothing to undo', detail: 'nothing was applied' };
    if (previous?.terraformCommit === undefined) {
      return {
        outcome: 'left',
        detail: 'no earlier release of the ledger has a configuration to go back to',
      };
    }
    const release = { version: previous.manifest.version, commit: previous.terraformCommit };
    const { changed } = await activities('undo', `terraform back to ${release.version}`).restoreTerraform({
      target,
      terraform,
      release,
      failed,
      lock,
    });
    return changed
      ? { outcome: 'undone', detail: `the configuration of ${release.version} applied` }
      : { outcome: 'nothing to undo', detail: `the configuration of ${release.version} was in place` };
  }
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
  const { timeoutSeconds, command, undo } = migration;
  let ended = false;
  await run.step(
    'migration',
    async () => {
      const done = await activities('process', command.join(' '), timeoutSeconds).runMigration({
        ...input,
        direction: 'do',
        startedBy: startedBy('m'),
      });
      ended = true;
      if (done.exitCode !== 0) throw new Ended('RolledBack', `the migration failed: ${done.detail}`);
    },
    {
      undo: async () => {
        const irreversible = {
          outcome: 'not possible',
          detail: 'the migration is declared irreversible',
        } as const;
        if (ended && undo === undefined) return irreversible;
        // Whether a migration that did not end had begun, its task says.
        const lookFor = ended ? {} : { lookFor: startedBy('m') };
        const tasks = activities('undo', (undo ?? command).join(' '), timeoutSeconds);
        try {
          const back = await tasks.runMigration({
            ...input,
            ...lookFor,
            direction: 'undo',
            startedBy: startedBy('u'),
          });
          if (back.ran === false) return { outcome: 'nothing to undo', detail: back.detail };
          if (back.exitCode === 0) return { outcome: 'undone', detail: (undo ?? []).join(' ') };
          throw ApplicationFailure.nonRetryable(
            `the migration's undo failed: ${back.detail}`,
            'MigrationNotUndone',
          );
        } catch (error) {
          if (failureType(error) === 'MigrationIrreversible') return irreversible;
          throw error;
        }
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
        by: 'rolling',
        lock,
      });
      run.note(rollout.serviceDeploymentArn ?? 'already runs this release');
      const verdict = await activities(
        'process',
        `follow ${service.name}`,
        policy.timeoutSeconds,
      ).followRollout({
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
          ours: taskDefinition,
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
