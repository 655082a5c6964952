import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { compare, describeDone } from '../../domain/terraform/compare.ts';
import type { Comparison } from '../../domain/terraform/compare.ts';
import { createdBy, guard } from '../../domain/terraform/guards.ts';
import { normalise } from '../../domain/terraform/normalise.ts';
import { changesSomething } from '../../domain/terraform/plan.ts';
import type { PlanJson } from '../../domain/terraform/plan.ts';
import type { ChangeSet, Origin } from '../../domain/terraform/change-set.ts';
import type { Target } from '../../domain/policy.ts';
import type { LockProof } from '../lock.ts';
import { KEPT } from '../process/operation.ts';
import { inspectProcess } from '../process/run.ts';
import type { ProcessEnd } from '../process/run.ts';
import type { Supervisor } from '../process/supervisor.ts';
import { failureOf, follow, start, succeeded } from './command.ts';
import type { Followed, Workspace } from './command.ts';
import { DEFAULT_GRACE } from './dependencies.ts';
import type { TerraformDependencies } from './dependencies.ts';
import { applyInterrupted, changeSetDiffers, planRefused } from './errors.ts';
import type { ApplyProgress } from './progress.ts';
import type { TerraformApplied, TerraformInput } from './types.ts';
import { addressesInState, configurationIn, outputs, plan, prepare } from './workspace.ts';

export interface ApplyInput extends TerraformInput {
  readonly lock: LockProof;
  /** Absent for a restore, which goes back to what was approved once. */
  readonly approved?: ChangeSet;
  /** For a restore: the change set that it undoes. */
  readonly failed?: ChangeSet;
  /** An earlier apply of `approved` was interrupted: what is left of it is enough. */
  readonly resuming: boolean;
}

/** What an apply leaves for the attempt after its worker's death. */
interface Kept {
  readonly counts: ChangeSet['counts'];
  readonly created: readonly string[];
}

/** Plans, judges and applies in `directory`; or follows the apply that an earlier attempt started there. */
export async function apply(
  dependencies: TerraformDependencies,
  input: ApplyInput,
  directory: string,
  supervisor: Supervisor,
  progress: ApplyProgress,
): Promise<TerraformApplied> {
  const found = await inspectProcess(join(directory, 'apply'));
  if (found !== 'absent') return resume(dependencies, input, directory, supervisor, progress);
  const again = () => anew(dependencies, input, directory, supervisor);
  const { unfinished } = progress;
  if (unfinished !== undefined) throw await interrupted(input.target, again, unfinished);
  const workspace = await prepare(dependencies, input, directory, supervisor);
  const { json, file } = await plan(workspace, { lock: true });
  const { counts, changes } = judge(input, json, workspace.origin, dependencies.key);
  const changed = changesSomething(json);
  if (changed) {
    const created = createdBy(changes);
    await writeFile(join(directory, KEPT), JSON.stringify({ counts, created } satisfies Kept));
    await dependencies.assertHolder(input.lock);
    await progress.begin(created);
    const end = await start(workspace, 'apply', ['-input=false', '-no-color', '-json', file], file);
    await settle(workspace, end, again, created, progress);
  }
  return { outputs: await outputs(workspace), changed, counts };
}

/** @returns the plan's change set, when it may be applied; throws otherwise */
function judge(input: ApplyInput, json: PlanJson, origin: Origin, key: string | undefined): ChangeSet {
  const { target, terraform: policy, approved, failed, resuming } = input;
  const options = { origin, ...(key !== undefined && { key }) };
  const changeSet = normalise(json, options);
  const differences = approved ? differencesOf(compare(approved, json, options), resuming) : [];
  if (approved && differences.length > 0) throw changeSetDiffers(target, approved, changeSet, differences);
  const { allowDestroy } = policy;
  const refusals = guard(json, { allowDestroy, ...(failed && { failed }) });
  if (refusals.length > 0) throw planRefused(target, refusals);
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

/** The apply of an attempt whose worker is gone: it outlived it, or ended since. */
async function resume(
  dependencies: TerraformDependencies,
  input: ApplyInput,
  directory: string,
  supervisor: Supervisor,
  progress: ApplyProgress,
): Promise<TerraformApplied> {
  const { counts, created } = await readKept(directory);
  progress.follow(created);
  const configuration = await configurationIn(directory);
  const { grace = DEFAULT_GRACE } = dependencies;
  const left = { input, directory, configuration, supervisor, grace, secrets: new Set<string>() };
  const again = () => anew(dependencies, input, directory, supervisor);
  await settle(left, await follow(left, 'apply'), again, created, progress);
  return { outputs: await outputs(await again()), changed: true, counts };
}

/** @throws unless the apply succeeded */
async function settle(
  followed: Followed,
  end: ProcessEnd,
  again: () => Promise<Workspace>,
  created: readonly string[],
  progress: ApplyProgress,
): Promise<void> {
  if (end.kind === 'lost') throw await interrupted(followed.input.target, again, created);
  await progress.end();
  if (!succeeded(end)) throw await failureOf(followed, 'apply', end);
}

/** What to throw for an apply that was killed: of what it was to make, the state may not know a part that is there. */
async function interrupted(
  target: Target,
  again: () => Promise<Workspace>,
  created: readonly string[],
): Promise<Error> {
  // Without a readable state all that was to be made is suspect.
  const known = await again()
    .then(addressesInState)
    .catch(() => new Set<string>());
  const suspects = created.filter((address) => !known.has(address));
  return applyInterrupted(target, suspects);
}

/** Beside what the earlier attempt left, so that its exit code and output stay readable. */
async function anew(
  dependencies: TerraformDependencies,
  input: ApplyInput,
  directory: string,
  supervisor: Supervisor,
): Promise<Workspace> {
  const beside = join(directory, 'again');
  await rm(beside, { recursive: true, force: true });
  await mkdir(beside, { mode: 0o700 });
  return prepare(dependencies, input, beside, supervisor);
}

async function readKept(directory: string): Promise<Kept> {
  const text = await readFile(join(directory, KEPT), 'utf8').catch(() => undefined);
  const nothing: Kept = { counts: { create: 0, update: 0, replace: 0, delete: 0 }, created: [] };
  return text === undefined ? nothing : JSON.parse(text);
}
