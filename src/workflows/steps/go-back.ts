/** Going back to an earlier release's infrastructure: in the undo of a deployment, and in a rollback that was ordered. */
import { CancellationScope } from '@temporalio/workflow';
import type { TerraformActivities, TerraformApplied } from '../../activities/terraform/types.ts';
import { activities } from '../activities.ts';
import { explain, failureType } from '../failures.ts';
import type { DeploymentRun } from '../run/deployment-run.ts';
import { destroyQuestion, interruptedQuestion } from './terraform-questions.ts';

type Restore = Parameters<TerraformActivities['restoreTerraform']>[0];

export type WentBack =
  | { readonly kind: 'back'; readonly applied: TerraformApplied; readonly detail: string }
  /** A person left the infrastructure as it is; `begun` when it may be half-changed. */
  | { readonly kind: 'left'; readonly detail: string; readonly begun: boolean };

/** What a person said to a way back that was barred. */
type Answer =
  | { readonly kind: 'again'; readonly mayDestroy: readonly string[]; readonly by: string }
  | Extract<WentBack, { kind: 'left' }>;

/**
 * Puts the configuration of `input.release` in place. What that would destroy without the policy's consent, and an apply
 * that was cut, are asked about as often as they come; other failures are thrown.
 */
export async function goBack(run: DeploymentRun, input: Omit<Restore, 'mayDestroy'>): Promise<WentBack> {
  const { version } = input.release;
  /** Who agreed to it, by address. What was agreed to stays so: what of it is left goes with the next plan. */
  const agreed = new Map<string, string>();
  // What was lost half-way is settled, or asked about, before anything else is asked.
  const { unfinished: lost, ...settled } = input;
  let unfinished = lost && { unfinished: lost };
  for (;;) {
    try {
      const mayDestroy = [...agreed.keys()];
      const consent = mayDestroy.length > 0 && { mayDestroy };
      const applied = await activities('undo', `terraform back to ${version}`).restoreTerraform({
        ...settled,
        ...unfinished,
        ...consent,
      });
      return { kind: 'back', applied, detail: `${told(version, applied)}${toldConsents(agreed)}` };
    } catch (error) {
      const answer = await ask(run, error, version);
      if (answer.kind === 'left') return answer;
      unfinished = undefined;
      for (const address of answer.mayDestroy) agreed.set(address, answer.by);
    }
  }
}

async function ask(run: DeploymentRun, error: unknown, version: string): Promise<Answer> {
  switch (failureType(error)) {
    case 'DestroyRefused':
      return await askAboutDestroying(run, error, version);
    case 'ApplyInterrupted':
      return await askAboutInterrupted(run, error, version);
    default:
      throw error;
  }
}

/** Nothing was applied: a run that is stopped meanwhile may end with that. */
async function askAboutDestroying(run: DeploymentRun, error: unknown, version: string): Promise<Answer> {
  const { what, actions, destroys } = destroyQuestion(error, version);
  const { action, by } = await run.people.decide(what, actions);
  if (action === 'continue') return { kind: 'left', detail: leftBy(by, version, error), begun: false };
  return { kind: 'again', mayDestroy: action === 'rollback' ? destroys : [], by };
}

/** Also of a run that is being stopped: what the state does not know is not forgotten for it. */
async function askAboutInterrupted(run: DeploymentRun, error: unknown, version: string): Promise<Answer> {
  const ways = `retry goes on to the infrastructure of ${version}; continue leaves it as it is, which makes the rollback incomplete and the environment dirty`;
  const { what, actions } = interruptedQuestion(error, ['retry', 'continue'], ways);
  const { action, by } = await CancellationScope.nonCancellable(() => run.people.decide(what, actions));
  if (action === 'continue') return { kind: 'left', detail: leftBy(by, version, error), begun: true };
  return { kind: 'again', mayDestroy: [], by };
}

function leftBy(by: string, version: string, error: unknown): string {
  return `the infrastructure was left as it is by ${by}, without going back to that of ${version}: ${explain(error)}`;
}

function told(version: string, { changed }: TerraformApplied): string {
  return changed ? `the configuration of ${version} applied` : `the configuration of ${version} was in place`;
}

/** @returns such as `; destroyed as bob agreed: aws_s3_bucket.logs` */
function toldConsents(agreed: ReadonlyMap<string, string>): string {
  const people = [...new Set(agreed.values())];
  const lines = people.map((person) => {
    const addresses = [...agreed].filter(([, by]) => by === person).map(([address]) => address);
    return `; destroyed as ${person} agreed: ${addresses.join(', ')}`;
  });
  return lines.join('');
}
