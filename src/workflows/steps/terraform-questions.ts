/** What a person is asked when Terraform must not go on by itself. */
import { isObject } from '../../domain/is-object.ts';
import { GUARDS } from '../../domain/terraform/guards.ts';
import type { Check } from '../../domain/verdict.ts';
import type { DecidePayload } from '../../domain/requests.ts';
import { explain, failureDetails } from '../failures.ts';

/** A question of `decide`. */
export interface TerraformQuestion {
  readonly what: string;
  readonly actions: readonly DecidePayload['action'][];
}

/** Characters of the failure's own words, or of a list of addresses. */
const LONGEST = 6000;
const MOST_DESTROYS = 200;

/**
 * About an `ApplyInterrupted`, whose message says what may exist, who holds the state's lock, where a state is that could
 * not be saved, and what to type for each.
 * @param ways what each of `actions` does
 */
export function interruptedQuestion(
  error: unknown,
  actions: TerraformQuestion['actions'],
  ways: string,
): TerraformQuestion {
  const said = shortened(explain(error), LONGEST).replace(/[^.!?]$/, '$&.');
  return { what: `${said} ${ways}`, actions };
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
  const nameable = destroys.length > 0 && destroys.length <= MOST_DESTROYS && list.length <= LONGEST;
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
    what: `going back to the infrastructure of ${version} would destroy ${shortened(why, LONGEST)} ${retry}; ${left}`,
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
