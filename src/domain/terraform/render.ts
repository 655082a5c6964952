import { actionsOf, addressOf, isDestructive, isReplacement, countChanges } from './normalise.ts';
import { isNoOp, plannedResources } from './plan.ts';
import type { PlanJson, PlannedChange } from './plan.ts';
import { attributeChanges, isSecret, sensitiveValues } from './values.ts';
import type { AttributeChange, Leaf } from './values.ts';
import { isMasked } from '../masking.ts';

/** Bytes of UTF-8. */
const LIMIT = 4096;
const LONGEST_VALUE = 80;

/** Readable lines of a plan for who approves it, at most 4 KB; sensitive values and those of telling names are masked. */
export function render(plan: PlanJson): string {
  const secrets = sensitiveValues(plan);
  const {
    create,
    update,
    replace,
    delete: gone,
  } = countChanges(plannedResources(plan).map((resource) => ({ actions: actionsOf(resource) })));
  const head = `${create} to create, ${update} to update, ${replace} to replace, ${gone} to delete.`;
  const resources = plannedResources(plan).map((resource) =>
    block(addressOf(resource), actionsOf(resource), resource.change, secrets),
  );
  const outputs = Object.entries(plan.output_changes ?? {})
    .filter(([, { actions }]) => !isNoOp(actions))
    .map(([name, change]) => block(`output.${name}`, change.actions, change, secrets));
  return fit([head, ...drift(plan), ...resources, ...outputs]);
}

/** The same in Markdown. */
export function renderMarkdown(plan: PlanJson): string {
  return ['```diff', render(plan), '```'].join('\n');
}

/** What the refresh found changed by others: not part of the change set, but good to know for who approves. */
function drift(plan: PlanJson): string[] {
  const addresses = (plan.resource_drift ?? []).map(({ address }) => address);
  return addresses.length === 0
    ? []
    : [`Changed outside of Terraform since the last apply: ${addresses.join(', ')}`];
}

function block(
  address: string,
  actions: readonly string[],
  change: PlannedChange,
  secrets: ReadonlySet<string>,
): string {
  const head = `${sign(actions)} ${address}: ${actions.join(', ')}`;
  const wholeObject = actions.includes('read') || (isDestructive(actions) && !isReplacement(actions));
  if (wholeObject) return head;
  const known = (difference: AttributeChange) =>
    actions.includes('update') || difference.after?.kind === 'known';
  const lines = attributeChanges(change)
    .filter((difference) => known(difference) || isReplacement(actions))
    .map((difference) => `    ${attribute(difference, secrets)}`);
  return [head, ...lines].join('\n');
}

function attribute({ path, before, after }: AttributeChange, secrets: ReadonlySet<string>): string {
  const hide = isMasked(path) || [before, after].some((leaf) => isSecret(leaf, secrets));
  const name = path === '' ? 'value' : path;
  if (hide) return `${name}: (sensitive, changed)`;
  return before === undefined ? `${name}: ${show(after)}` : `${name}: ${show(before)} -> ${show(after)}`;
}

function show(leaf: Leaf | undefined): string {
  if (leaf === undefined) return '(none)';
  if (leaf.kind === 'unknown') return '(known after apply)';
  const text = JSON.stringify(leaf.value);
  return text.length <= LONGEST_VALUE ? text : `${text.slice(0, LONGEST_VALUE)}...`;
}

function sign(actions: readonly string[]): string {
  if (isReplacement(actions)) return '-/+';
  if (isDestructive(actions)) return '-';
  if (actions.includes('create')) return '+';
  return actions.includes('update') ? '~' : '>';
}

/** Whole blocks while there is room; then only how many there are more. */
function fit(blocks: readonly string[]): string {
  const encoder = new TextEncoder();
  const size = (text: string) => encoder.encode(text).length + 1;
  const lastLine = 40;
  const shown: string[] = [];
  let room = LIMIT - lastLine;
  for (const text of blocks) {
    const fitting = size(text) <= room ? text : (text.split('\n')[0] ?? '');
    if (size(fitting) > room) break;
    shown.push(fitting);
    room -= size(fitting);
  }
  const left = blocks.length - shown.length;
  return left === 0 ? shown.join('\n') : [...shown, `... and ${left} more`].join('\n');
}
