import { valid } from 'semver';

/** One thing wrong with an input. */
export interface Problem {
  readonly field: string;
  /** The value as it came, shortened; `nothing` when the field is missing. */
  readonly found: string;
  readonly allowed: string;
}

export type Parsed<T> =
  | { readonly kind: 'ok'; readonly value: T }
  | { readonly kind: 'invalid'; readonly problems: readonly Problem[] };

/** Reads one field: the value that counts, or what is allowed. */
export type Field<T> = (
  value: unknown,
) => { readonly ok: true; readonly value: T } | { readonly ok: false; readonly allowed: string };

export type Fields<T> = { readonly [K in keyof T]-?: Field<T[K]> };

/** Unknown fields that are told one by one: whoever sends 100,000 must not fill the run's history with them. */
const TOLD_FIELDS = 10;

/**
 * Reads an object by its fields; unknown fields are problems, all problems are reported.
 * @param what names the object for people, such as `the input` or `approve`
 */
export function parseObject<T extends object>(what: string, fields: Fields<T>, input: unknown): Parsed<T> {
  const names = Object.keys(fields) as (keyof T & string)[];
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    return {
      kind: 'invalid',
      problems: [{ field: what, found: show(input), allowed: `an object with ${names.join(', ')}` }],
    };
  }
  const given = input as Record<string, unknown>;
  const problems: Problem[] = [];
  const value: Record<string, unknown> = {};
  for (const name of names) {
    const found = Object.hasOwn(given, name) ? given[name] : undefined;
    const read = fields[name](found);
    if (!read.ok) problems.push({ field: name, found: show(found), allowed: read.allowed });
    else if (read.value !== undefined) value[name] = read.value;
  }
  const unknown = Object.keys(given).filter((key) => !(names as string[]).includes(key));
  const allowed = `no such field; the fields are ${names.join(', ')}`;
  for (const name of unknown.slice(0, TOLD_FIELDS)) {
    problems.push({ field: shortened(name), found: show(given[name]), allowed });
  }
  if (unknown.length > TOLD_FIELDS) {
    problems.push({ field: what, found: `${unknown.length - TOLD_FIELDS} more unknown fields`, allowed });
  }
  return problems.length > 0 ? { kind: 'invalid', problems } : { kind: 'ok', value: value as T };
}

/** @returns one line for people: every problem, with what was found and what is allowed */
export function describeProblems(problems: readonly Problem[]): string {
  return problems
    .map(({ field, found, allowed }) => `${field}: found ${found}, allowed is ${allowed}`)
    .join('; ');
}

/** `field` may be left out. */
export function optional<T>(field: Field<T>): Field<T | undefined> {
  return (value) => (value === undefined || value === null ? { ok: true, value: undefined } : field(value));
}

/** Control characters would rewrite what a terminal shows; line breaks and tabs are told apart from them. */
const CONTROL = /\p{Cc}/u;
const BREAKS = /[\t\r\n\u2028\u2029]/g;

/** A text of 1 to `longest` characters, without control characters, on one line unless `lines`. */
export function text(longest = 500, { lines = false } = {}): Field<string> {
  const allowed = `a text of 1 to ${longest} characters${lines ? '' : ' on one line'}`;
  return (value) =>
    typeof value === 'string' &&
    value.length <= longest &&
    value.trim() !== '' &&
    value.isWellFormed() &&
    isPlain(lines ? value.replace(BREAKS, ' ') : value)
      ? { ok: true, value: value.trim() }
      : { ok: false, allowed };
}

function isPlain(value: string): boolean {
  return !CONTROL.test(value) && value.search(BREAKS) < 0;
}

export const yesOrNo: Field<boolean> = (value) =>
  typeof value === 'boolean' ? { ok: true, value } : { ok: false, allowed: 'true or false' };

export function oneOf<const T extends string>(values: readonly T[]): Field<T> {
  return (value) =>
    (values as readonly unknown[]).includes(value)
      ? { ok: true, value: value as T }
      : { ok: false, allowed: `one of ${values.join(', ')}` };
}

/** A semantic version without a leading `v`; build metadata (`+...`) cannot stand in an image tag. */
export const version: Field<string> = (value) =>
  typeof value === 'string' && value.length <= 100 && valid(value) === value && !value.includes('+')
    ? { ok: true, value }
    : {
        ok: false,
        allowed:
          'a semantic version such as 1.4.0 or 1.4.0-rc.1, without a leading v and without build metadata (+...)',
      };

/** A full commit hash (SHA-1 or SHA-256). */
export const commit: Field<string> = (value) =>
  typeof value === 'string' && /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(value)
    ? { ok: true, value }
    : {
        ok: false,
        allowed:
          'a full commit hash: 40 (or 64) lower-case hexadecimal digits; `git rev-parse <ref>` prints it',
      };

export const environmentName: Field<string> = (value) =>
  typeof value === 'string' && /^[a-z][a-z0-9-]{0,30}$/.test(value)
    ? { ok: true, value }
    : {
        ok: false,
        allowed: "the name of one of the platform's environments, such as development, staging or production",
      };

function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  return shortened(JSON.stringify(value) ?? typeof value);
}

function shortened(written: string): string {
  return written.length <= 80 ? written : `${written.slice(0, 77)}...`;
}
