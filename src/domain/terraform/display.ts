import {
  actionsOf,
  addressOf,
  isDestructive,
  isReplacement,
  plannedOutputs,
  plannedSteps,
} from './planned.ts';
import type { PlanJson, PlannedResource } from './plan.ts';
import type { Secrets } from './secrets.ts';
import { attributeChanges, byCodeUnit, pathOf } from './values.ts';
import type { AttributeChange, Leaf } from './values.ts';
import { isMasked } from '../masking.ts';

/** What a step of a plan does, the most dangerous first. */
export const KINDS = ['destroy', 'replace', 'change', 'create', 'other', 'output'] as const;

/** One step of a plan as people see it: lines without control characters and secrets. */
export interface Entry {
  readonly kind: (typeof KINDS)[number];
  /** Such as `aws_x.y: update`. */
  readonly head: string;
  /** A line for each attribute that is worth showing. */
  readonly attributes: readonly string[];
}

const LONGEST_VALUE = 80;
const LONGEST_LINE = 300;
/** What is shown of two long values before they begin to differ. */
const CONTEXT = 20;

/** The steps of a plan, the most dangerous first, then by address. */
export function entriesOf(plan: PlanJson, secrets: Secrets): Entry[] {
  const outputs = plannedOutputs(plan).map(([name, change]) => ({ address: `output.${name}`, change }));
  return [
    ...plannedSteps(plan).map((step) => entry(step, kindOf(step), secrets)),
    ...outputs.map((output) => entry(output, 'output', secrets)),
  ].toSorted((a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind) || byCodeUnit(a.head, b.head));
}

/** Lines on the conditions of `check` blocks that are not met. They only warn: Terraform applies the plan all the same. */
export function warningsOf(plan: PlanJson, { mask }: Secrets): string[] {
  return (plan.checks ?? [])
    .filter(({ status }) => status === 'fail' || status === 'error')
    .flatMap(({ address, instances = [] }) => {
      const problems = instances.flatMap(({ problems: found = [] }) =>
        found.map(({ message }) => message ?? ''),
      );
      const why = problems.filter(Boolean).join(' ');
      return line(`${address.to_display ?? 'a check'} fails, which only warns: ${mask(why) || 'no message'}`);
    });
}

/** The text on one line, with what can't be seen, or turns the writing round, written as `\u{...}`. */
export function line(text: string): string {
  const written = text.replaceAll(
    /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu,
    (character) => String.raw`\u{${character.codePointAt(0)?.toString(16) ?? ''}}`,
  );
  return clip(written, LONGEST_LINE);
}

function kindOf({ change: { actions } }: PlannedResource): Entry['kind'] {
  if (isReplacement(actions)) return 'replace';
  if (isDestructive(actions)) return 'destroy';
  if (actions.includes('update')) return 'change';
  return actions.includes('create') ? 'create' : 'other';
}

function entry(step: PlannedResource, kind: Entry['kind'], secrets: Secrets): Entry {
  const { change, previous_address: previous } = step;
  const actions = actionsOf(step);
  const notes = [
    ...(actions.includes('move') ? [`from ${secrets.maskAddress(previous ?? '')}`] : []),
    ...(change.importing?.id === undefined ? [] : [`id ${secrets.mask(change.importing.id)}`]),
  ];
  const note = notes.length > 0 ? ` (${notes.join(', ')})` : '';
  const head = line(`${secrets.maskAddress(addressOf(step))}: ${actions.join(', ')}${note}`);
  // Of what is removed or only read, the object as a whole is meant.
  if (kind === 'destroy' || actions.includes('read')) return { kind, head, attributes: [] };
  const forcing = (change.replace_paths ?? []).map(pathOf);
  const attributes = attributeChanges(change)
    .filter(({ after }) => kind === 'change' || kind === 'replace' || after?.kind === 'known')
    .map((difference) => attribute(difference, forcing, secrets));
  return { kind, head, attributes };
}

function attribute(difference: AttributeChange, forcing: readonly string[], secrets: Secrets): string {
  const { path, before, after } = difference;
  const name = path === '' ? 'value' : secrets.maskPath(path);
  const hide = isMasked(path) || secrets.isSecret(before) || secrets.isSecret(after);
  const value = hide ? '(sensitive, changed)' : transition(before, after);
  const forces = forcing.some(
    (outer) => path === outer || path.startsWith(`${outer}.`) || path.startsWith(`${outer}[`),
  );
  return line(`${name}: ${value}${forces ? ' (forces replacement)' : ''}`);
}

function transition(before: Leaf | undefined, after: Leaf | undefined): string {
  const [was, is] = [shown(before), shown(after)];
  if (before === undefined) return clip(is, LONGEST_VALUE);
  const start = differingFrom(was, is);
  return `${excerpt(was, start)} -> ${excerpt(is, start)}`;
}

function shown(leaf: Leaf | undefined): string {
  if (leaf === undefined) return '(none)';
  return leaf.kind === 'unknown' ? '(known after apply)' : JSON.stringify(leaf.value);
}

/** Where two texts begin to differ. */
function differingFrom(a: string, b: string): number {
  let i = 0;
  while (i < a.length && i < b.length && a[i] === b[i]) i += 1;
  return i;
}

/** A part of a long text that has the place `from` in it. */
function excerpt(whole: string, from: number): string {
  if (whole.length <= LONGEST_VALUE || from < LONGEST_VALUE / 2) return clip(whole, LONGEST_VALUE);
  return `...${clip(whole.slice(from - CONTEXT), LONGEST_VALUE)}`;
}

function clip(whole: string, most: number): string {
  return whole.length <= most ? whole : `${whole.slice(0, most).toWellFormed()}...`;
}
