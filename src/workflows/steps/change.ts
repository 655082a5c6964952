/** The steps that change an environment, each with what takes it back. */
import { CancellationScope } from '@temporalio/workflow';
import type { Outputs, TerraformActivities, TerraformApplied } from '../../activities/terraform/types.ts';
import type { DecidePayload } from '../../domain/requests.ts';
import { activities } from '../activities.ts';
import { Ended, explain, failureDetails, failureType } from '../failures.ts';
import type { DeploymentRun } from '../run/deployment-run.ts';
import type { Undo } from '../run/saga.ts';
import type { Prepared } from './prepare.ts';

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

function undone(
  names: readonly string[],
  detail: (names: readonly string[]) => string,
): Awaited<ReturnType<Undo>> {
  return names.length === 0
    ? { outcome: 'nothing to undo', detail: 'nothing was there' }
    : { outcome: 'undone', detail: detail(names) };
}
