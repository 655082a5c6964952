import { changeSetDigest, stepsOf } from './normalise.ts';
import type { NormaliseOptions, Step } from './normalise.ts';
import type { PlanJson } from './plan.ts';
import { sealsOf } from './seal.ts';
import type { Sealed } from './seal.ts';
import type { ChangeSet, Origin, ResourceChange } from './change-set.ts';

/** A plan beside the change set that was approved. */
export type Comparison =
  | { readonly kind: 'same' }
  /** Nothing but what was approved, and some of that is done already: addresses, and how many more. */
  | { readonly kind: 'subset'; readonly done: readonly string[] }
  /** A line for each difference. */
  | { readonly kind: 'differs'; readonly differences: readonly string[] };

/**
 * Compares a plan with the change set that was approved. A value that was unknown when it was approved matches any
 * value. Outputs follow from resources and variables: one that changes by now, or no longer, is no difference in a
 * subset. A plan of another configuration or state is never the same, nor a part.
 * @param options what `approved` was made with, but for `options.origin`, which is the plan's
 */
export function compare(approved: ChangeSet, plan: PlanJson, options: NormaliseOptions): Comparison {
  const steps = stepsOf(plan, options);
  if (changeSetDigest(options.origin, steps) === approved.digest) return { kind: 'same' };

  const elsewhere = originDifferences(approved.origin, options.origin);
  const judge = judgeOf(approved);
  const found = steps.map((step) => ({ step, ...judge(step) }));
  const strange = found.flatMap(({ line, step }) => (line === undefined ? [] : [{ line, step }]));
  const done = notPlanned(approved, found);
  if (elsewhere.length === 0) {
    if (strange.length === 0 && done.length === 0) return { kind: 'same' };
    const inOutputs = strange.every(({ step }) => step.change.address.startsWith('output.'));
    if (inOutputs && done.length > 0) return { kind: 'subset', done };
  }
  const lines = [...elsewhere, ...strange.map(({ line }) => line), ...describeDone(done)];
  return { kind: 'differs', differences: [...new Set(lines)] };
}

/** The differences for a plan that had to be all of what was approved. */
export function describeDone(done: readonly string[]): string[] {
  return done.map((address) => `${address}: approved, but no longer planned`);
}

function originDifferences(approved: Origin, planned: Origin): string[] {
  const facts = (['directory', 'backend', 'workspace', 'location'] as const).filter(
    (fact) => approved[fact] !== planned[fact],
  );
  if (facts.length === 0) return [];
  const say = (origin: Origin) =>
    facts.map((fact) =>
      fact === 'location' ? `state at ${short(origin.location)}` : `${fact} ${origin[fact]}`,
    );
  return [`planned for ${say(planned).join(', ')}; approved for ${say(approved).join(', ')}`];
}

function short(digest: string): string {
  return digest.slice(0, 'sha256:'.length + 12);
}

/** How a planned step stands to what was approved. `line` tells what is not approved of it. */
interface Judgement {
  readonly line?: string;
  readonly among: 'listed' | 'unlisted' | 'none';
}

function judgeOf(approved: ChangeSet): (step: Step) => Judgement {
  const listed = new Map(approved.changes.map((change) => [change.address, change]));
  const { unlisted } = approved;
  const seals = unlisted && sealsOf(unlisted);
  return (step) => {
    const { address } = step.change;
    const wanted = listed.get(address);
    if (wanted) return { among: 'listed', ...listedDifference(wanted, step.masked(wanted.unknown ?? [])) };
    if (unlisted === undefined) return { among: 'none', line: notApproved(step.change) };
    if (seals === undefined) return { among: 'unlisted', line: notKept(unlisted.count) };
    return sealedJudgement(step, seals, unlisted.unknown);
  };
}

function listedDifference(approved: ResourceChange, planned: ResourceChange): { line?: string } {
  const { address } = planned;
  const [was, is] = [approved, planned].map(({ actions }) => actions.join(' and '));
  if (was !== is) return { line: `${address}: ${was} was approved, ${is} is planned` };
  return approved.hash === planned.hash ? {} : { line: otherValues(planned) };
}

/** The values that were unknown when an unlisted change was approved are those of one of the lists. */
function sealedJudgement(step: Step, seals: Sealed, unknown: readonly (readonly string[])[]): Judgement {
  const plain = seals(step.change);
  if (plain === 'same') return { among: 'unlisted' };
  const own = step.change.unknown ?? [];
  const fits = unknown
    .filter((paths) => own.every((path) => paths.includes(path)) && paths.every(step.has))
    .some((paths) => seals(step.masked(paths)) === 'same');
  if (fits) return { among: 'unlisted' };
  return plain === 'place'
    ? { among: 'unlisted', line: otherValues(step.change) }
    : { among: 'none', line: notApproved(step.change) };
}

/** What was approved and has nothing in the plan: addresses, and a number of those that have none. */
function notPlanned(approved: ChangeSet, found: readonly (Judgement & { readonly step: Step })[]): string[] {
  const present = new Set(found.map(({ step }) => step.change.address));
  const listed = approved.changes.map(({ address }) => address).filter((address) => !present.has(address));
  const unlisted = (approved.unlisted?.count ?? 0) - found.filter(({ among }) => among === 'unlisted').length;
  return unlisted > 0 ? [...listed, `${unlisted} of the changes that are not listed`] : listed;
}

function notApproved({ address, actions }: ResourceChange): string {
  return `${address}: ${actions.join(' and ')} was not approved`;
}

function otherValues({ address, actions }: ResourceChange): string {
  return `${address}: ${actions.join(' and ')} is planned with other values than were approved`;
}

function notKept(count: number): string {
  return `${count} changes were approved together, too many to be compared one by one: only the very same plan stands`;
}
