/** What a person is asked when Terraform must not go on by itself. */
import { GUARDS } from '../../domain/terraform/guards.ts';
import type { Check } from '../../domain/verdict.ts';
import type { DecidePayload } from '../../domain/requests.ts';
import { explain, failureDetails } from '../failures.ts';

/** A question of `decide`. */
export interface TerraformQuestion {
  readonly what: string;
  readonly actions: readonly DecidePayload['action'][];
}

/** Characters that the failure's own words may take. */
const LONGEST_SAID = 2000;
/** Characters of a list of addresses. */
const LONGEST_LIST = 6000;
const MOST_SUSPECTS = 20;
const MOST_DESTROYS = 200;

/**
 * About an `ApplyInterrupted`: what the failure says, and what it has in its details beside. Both are read as if they
 * could lack anything: a worker of another version may have thrown it.
 * @param ways what each of `actions` does
 */
export function interruptedQuestion(
  error: unknown,
  environment: string,
  actions: TerraformQuestion['actions'],
  ways: string,
): TerraformQuestion {
  const details = failureDetails(error) ?? {};
  const said = shortened(explain(error), LONGEST_SAID);
  const sentences = [
    said.replace(/[^.!?]$/, '$&.'),
    ...suspectsUnsaid(texts(details['suspects']), said),
    ...lockUnsaid(details['stateLock'], said),
    ...erroredStateUnsaid(details['erroredState'], environment, said),
    ways,
  ];
  return { what: sentences.join(' '), actions };
}

function suspectsUnsaid(suspects: readonly string[], said: string): string[] {
  const unsaid = suspects.filter((address) => !names(said, address));
  if (unsaid.length === 0) return [];
  const more = unsaid.length > MOST_SUSPECTS ? ` and ${unsaid.length - MOST_SUSPECTS} more` : '';
  const named = unsaid.slice(0, MOST_SUSPECTS).join(', ');
  return [`May exist without the state knowing of it: ${shortened(named, LONGEST_LIST)}${more}.`];
}

/** Whether `text` has this very address, and not only one that begins or ends as it does. */
function names(text: string, address: string): boolean {
  const literal = address.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  return new RegExp(String.raw`(?<![\w.\-])${literal}(?![\w[\-]|\.\w)`).test(text);
}

function lockUnsaid(lock: unknown, said: string): string[] {
  if (!isObject(lock) || typeof lock['id'] !== 'string') return [];
  const { id, who, operation, created, released } = lock;
  if (said.includes(id)) return [];
  const whose = `The state lock ${id} (${[operation, who, created].filter(isText).join(', ')})`;
  if (released === true) return [`${whose} was the dead apply's own and is released.`];
  return [
    `${whose} is still held: once it is certain that nothing runs under it, type: terraform force-unlock ${id}.`,
  ];
}

function erroredStateUnsaid(file: unknown, environment: string, said: string): string[] {
  if (!isText(file)) return [];
  const command = `slipway terraform recover --environment ${environment} --state ${file}`;
  if (said.includes(command)) return [];
  return [`The state that could not be saved is in ${file} on the worker's host; there type: ${command}.`];
}

/** A `DestroyRefused` on the way back. */
export interface RefusedWayBack extends TerraformQuestion {
  /** What a `rollback` agrees to: all that would go, or nothing where that can't be told in full. */
  readonly destroys: readonly string[];
}

/**
 * About going back to `version`, which would take away what no policy lets go. Only what the question names in full can
 * be agreed to; a plan that is refused for another reason as well would be refused again.
 */
export function destroyQuestion(error: unknown, version: string): RefusedWayBack {
  const details = failureDetails(error) ?? {};
  const destroys = texts(details['destroys']);
  const others = checks(details['refusals']).filter(({ name }) => name !== GUARDS.destroy);
  const list = destroys.join(', ');
  const nameable = destroys.length > 0 && destroys.length <= MOST_DESTROYS && list.length <= LONGEST_LIST;
  const retry = 'retry plans again, after you changed something';
  const left =
    'continue leaves the infrastructure as it is, which makes the rollback incomplete and the environment dirty';
  if (nameable && others.length === 0) {
    return {
      what: `going back to the infrastructure of ${version} would destroy ${count(destroys.length)}: ${list}. rollback destroys exactly this and goes back; ${retry}; ${left}`,
      actions: ['rollback', 'retry', 'continue'],
      destroys,
    };
  }
  const why = nameable
    ? `${list}; and it is refused for more than that: ${others.map(({ detail }) => detail).join(' ')}`
    : `more than can be named here: ${explain(error)}`;
  return {
    what: `going back to the infrastructure of ${version} would destroy ${shortened(why, LONGEST_LIST + LONGEST_SAID)} ${retry}; ${left}`,
    actions: ['retry', 'continue'],
    destroys: [],
  };
}

function count(resources: number): string {
  return resources === 1 ? 'a resource' : `${resources} resources`;
}

function shortened(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length)}...`;
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter(isText) : [];
}

function checks(value: unknown): Pick<Check, 'name' | 'detail'>[] {
  const found: unknown[] = Array.isArray(value) ? value : [];
  return found.flatMap((check) =>
    isObject(check) && isText(check['name']) && isText(check['detail'])
      ? [{ name: check['name'], detail: check['detail'] }]
      : [],
  );
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
