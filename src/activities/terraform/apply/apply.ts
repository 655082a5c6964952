import { hostname } from 'node:os';
import { join } from 'node:path';
import { compare, describeDone } from '../../../domain/terraform/compare.ts';
import type { Comparison } from '../../../domain/terraform/compare.ts';
import { destroyedBy, guard } from '../../../domain/terraform/guards.ts';
import { normalise } from '../../../domain/terraform/normalise.ts';
import { changesSomething } from '../../../domain/terraform/plan.ts';
import type { PlanJson } from '../../../domain/terraform/plan.ts';
import type { ChangeSet, Origin } from '../../../domain/terraform/change-set.ts';
import type { LockProof } from '../../lock.ts';
import { inspectProcess } from '../../process/run.ts';
import { unnoticed } from '../../process/supervisor.ts';
import type { Supervisor } from '../../process/supervisor.ts';
import { LOCK_TIMEOUT, follow, start } from '../command/command.ts';
import type { Workspace } from '../command/command.ts';
import { DEFAULT_GRACE, DEFAULT_LOCK_WAIT } from '../dependencies.ts';
import type { TerraformDependencies } from '../dependencies.ts';
import { besides } from '../workspace/beside.ts';
import { awaitElsewhere } from './elsewhere.ts';
import { settleEarlier } from './earlier.ts';
import { clearErroredState } from '../state/errored-state.ts';
import { changeSetDiffers, planRefused, planTampered } from '../command/errors.ts';
import { intentOf } from './intent.ts';
import { keepApply, readKeptApply, readKeptLock } from './kept-apply.ts';
import type { ApplyProgress } from './progress.ts';
import { seeThrough } from './running-apply.ts';
import type { RunningApply } from './running-apply.ts';
import { demandSameState } from './same-state.ts';
import type { TerraformApplied, TerraformInput, UnfinishedApply } from '../types.ts';
import { demandSaved } from '../state/unsaved.ts';
import { configurationIn, fileDigest, outputs, plan, prepare } from '../workspace/workspace.ts';
import type { Planned } from '../workspace/workspace.ts';

export interface ApplyInput extends TerraformInput {
  readonly lock: LockProof;
  /** Absent for a restore, which goes back to what was approved once. */
  readonly approved?: ChangeSet;
  /** For a restore: the change set that it undoes. */
  readonly failed?: ChangeSet;
  /** For a restore: addresses that a person agreed to have destroyed. */
  readonly mayDestroy?: readonly string[];
  /** For a restore: what was changed last, where `failed` does not tell. */
  readonly from?: Origin;
  /** For a restore: the apply that it undoes was lost half-way. */
  readonly unfinished?: UnfinishedApply;
  /** An earlier apply of `approved` was interrupted: what is left of it is enough. */
  readonly resuming: boolean;
}

/** What an attempt at an apply works with. */
interface Attempt {
  readonly dependencies: TerraformDependencies;
  readonly input: ApplyInput;
  /** The activity's private one. */
  readonly directory: string;
  readonly supervisor: Supervisor;
  readonly progress: ApplyProgress;
}

/** Plans, judges and applies in `directory`; or follows the apply that an earlier attempt started there. */
export async function apply(
  dependencies: TerraformDependencies,
  input: ApplyInput,
  directory: string,
  supervisor: Supervisor,
  progress: ApplyProgress,
): Promise<TerraformApplied> {
  const attempt: Attempt = { dependencies, input, directory, supervisor, progress };
  const found = await inspectProcess(join(directory, 'apply'));
  return found === 'absent' ? await begin(attempt) : await resume(attempt);
}

async function begin(attempt: Attempt): Promise<TerraformApplied> {
  const { dependencies, input, directory, supervisor, progress } = attempt;
  const beside = besides(attempt);
  const settled = await settleEarlier({ ...attempt, beside }, { stop: input.approved === undefined });
  const workspace = await prepare(dependencies, input, directory, supervisor);
  demandSameState(input.target, input.failed?.origin ?? input.from, workspace.origin);
  await awaitUnfinished(attempt, workspace, settled);
  await demandSaved(workspace, dependencies.dataDirectory);
  const planned = await plan(workspace, { lock: true });
  const { counts } = judge(input, planned.json, workspace, dependencies.key);
  if (changesSomething(planned.json)) await applyPlan({ ...attempt, beside }, workspace, planned, counts);
  return { outputs: await outputs(workspace), changed: progress.hasBegun, counts };
}

/** Of this activity's own earlier attempts, or else the one that it is to undo, unless that was `settled` on this host. */
async function awaitUnfinished(
  { dependencies, input, progress }: Attempt,
  workspace: Workspace,
  settled: boolean,
): Promise<void> {
  const wait = dependencies.lockWait ?? DEFAULT_LOCK_WAIT;
  const { unfinished: own } = progress;
  if (own) {
    await awaitElsewhere(workspace, own, wait);
    return progress.end();
  }
  const { unfinished: undone } = input;
  if (undone === undefined || progress.hasBegun || (settled && undone.host === hostname())) return;
  await awaitElsewhere(workspace, undone, wait);
}

async function applyPlan(
  attempt: Attempt & Pick<RunningApply, 'beside'>,
  workspace: Workspace,
  { json, file, digest }: Planned,
  counts: ChangeSet['counts'],
): Promise<void> {
  const { dependencies, input, directory, supervisor, progress, beside } = attempt;
  const intent = intentOf(json, workspace.secrets);
  await keepApply(directory, input, { ...intent, counts });
  await clearErroredState(workspace.configuration);
  await dependencies.assertHolder(input.lock);
  if ((await fileDigest(file)) !== digest) throw planTampered(input.target);
  await progress.begin(intent);
  const args = ['-input=false', '-no-color', '-json', LOCK_TIMEOUT, file];
  const quiet = { ...workspace, supervisor: unnoticed(supervisor) };
  const lookAt = () => Promise.resolve(quiet);
  await seeThrough({ followed: workspace, intent, progress, lookAt, beside }, (watching) =>
    start(workspace, 'apply', args, { removeAfterwards: file, ...watching }),
  );
}

/** The apply of an attempt whose worker is gone: it outlived it, or ended since. */
async function resume(attempt: Attempt): Promise<TerraformApplied> {
  const { dependencies, input, directory, supervisor, progress } = attempt;
  const { counts, ...intent } = await readKeptApply(directory);
  progress.follow(intent, await readKeptLock(directory));
  const configuration = await configurationIn(directory);
  const { grace = DEFAULT_GRACE } = dependencies;
  const secrets = new Set<string>();
  const beside = besides(attempt);
  const learn = async () => {
    const workspace = await beside();
    await plan(workspace, { lock: false });
    for (const secret of workspace.secrets) secrets.add(secret);
  };
  const followed = { input, directory, configuration, supervisor, grace, secrets, mute: true, learn };
  const running = { followed, intent, progress, lookAt: beside, beside };
  await seeThrough(running, (watching) => follow(followed, 'apply', watching));
  return { outputs: await outputs(await beside()), changed: true, counts };
}

/** @returns the plan's change set, when it may be applied; throws otherwise */
function judge(
  input: ApplyInput,
  json: PlanJson,
  { origin, secrets }: Workspace,
  key: string | undefined,
): ChangeSet {
  const { target, terraform: policy, approved, failed, mayDestroy, resuming } = input;
  const options = { origin, secrets, ...(key !== undefined && { key }) };
  const changeSet = normalise(json, options);
  const differences = approved ? differencesOf(compare(approved, json, options), resuming) : [];
  if (approved && differences.length > 0) throw changeSetDiffers(target, approved, changeSet, differences);
  const { allowDestroy, allowedTypes } = policy;
  const consent = { allowDestroy, secrets, ...(failed && { failed }), ...(mayDestroy && { mayDestroy }) };
  const refusals = guard(json, { ...consent, ...(allowedTypes && { allowedTypes }) });
  if (refusals.length > 0) throw planRefused(target, refusals, destroyedBy(json, consent));
  return changeSet;
}

function differencesOf(comparison: Comparison, resuming: boolean): readonly string[] {
  switch (comparison.kind) {
    case 'same':
      return [];
    case 'subset':
      return resuming ? [] : describeDone(comparison.done);
    case 'differs':
      return comparison.differences;
  }
}
