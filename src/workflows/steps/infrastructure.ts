/** The step that applies a release's Terraform configuration, with what takes it back. */
import { CancellationScope } from '@temporalio/workflow';
import type { Outputs, TerraformActivities, TerraformApplied } from '../../activities/terraform/types.ts';
import { firstOf } from '../../domain/render/infrastructure.ts';
import type { UndoneStep } from '../../domain/report.ts';
import type { DecidePayload } from '../../domain/requests.ts';
import type { ChangeSet } from '../../domain/terraform/change-set.ts';
import { beyondRecall } from '../../domain/terraform/recall.ts';
import { activities } from '../activities.ts';
import { Ended, explain, failureType } from '../failures.ts';
import type { DeploymentRun } from '../run/deployment-run.ts';
import type { Undo } from '../run/saga.ts';
import { begunApply } from './begun-apply.ts';
import type { BegunApply } from './begun-apply.ts';
import { goBack } from './go-back.ts';
import type { Prepared } from './prepare.ts';
import { interruptedQuestion } from './terraform-questions.ts';

/** Applies the approved change set. @returns the environment's outputs */
export async function infrastructure(run: DeploymentRun, { terraform: plan }: Prepared): Promise<Outputs> {
  const { target, terraform } = run.policy;
  if (terraform === undefined || plan === undefined) return {};
  const { release } = run;
  const { proof: lock } = run.lock;
  const input = { target, terraform, release };
  const approved = plan.changeSet;
  const { counts } = approved;
  if (approved.changes.length === 0 && approved.unlisted === undefined) {
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
  /** Begun until an attempt says that it was not: an answer may be lost. */
  #left: BegunApply = { begun: true };

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
          const left = begunApply(error, this.#input.approved);
          this.#left = { ...left, begun: resuming || left.begun };
          throw error;
        }
        const { action, by } = await this.#ask(error);
        if (action === 'rollback')
          throw new Ended('RolledBack', `${explain(error)} (${by} decided to go back)`);
      }
    }
  }

  /** Also of a run that is being stopped: what the state does not know is not forgotten for it. */
  async #ask(error: unknown): Promise<DecidePayload> {
    const { people } = this.#run;
    const ways =
      'retry applies what is left of the approved change set; rollback takes back what was applied';
    const { what, actions } = interruptedQuestion(error, ['retry', 'rollback'], ways);
    return await CancellationScope.nonCancellable(() => people.decide(what, actions));
  }

  async undo(): ReturnType<Undo> {
    const { target, terraform, lock, approved: failed } = this.#input;
    const { previous } = this.#run;
    const { begun, unfinished } = this.#left;
    if (!begun) return { outcome: 'nothing to undo', detail: 'nothing was applied' };
    if (previous?.terraformCommit === undefined) {
      return {
        outcome: 'left',
        detail: 'no earlier release of the ledger has a configuration to go back to',
      };
    }
    const release = { version: previous.manifest.version, commit: previous.terraformCommit };
    const went = await goBack(this.#run, {
      target,
      terraform,
      release,
      failed,
      lock,
      ...(unfinished && { unfinished }),
    });
    const { detail } = went;
    if (went.kind === 'left') return { outcome: went.begun ? 'failed' : 'not possible', detail };
    if (!went.applied.changed) return { outcome: 'nothing to undo', detail };
    return { outcome: 'undone', detail, ...lostFor(failed) };
  }
}

/** Lines of a report. */
const MOST_LOST = 20;

/** Nobody must take what is there again for what was there before. */
function lostFor(failed: ChangeSet): Pick<UndoneStep, 'beyondRecall'> {
  const lines = beyondRecall(failed);
  return lines.length === 0 ? {} : { beyondRecall: firstOf(lines, MOST_LOST) };
}
