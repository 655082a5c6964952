import { z } from 'zod';
import type { Path } from './document.ts';
import { closest } from './suggest.ts';

/** One thing wrong with a platform file. */
export interface PlatformProblem {
  readonly path: Path;
  readonly line?: number;
  readonly column?: number;
  /** What is there, for people. */
  readonly found: string;
  /** What may be there, for people. */
  readonly allowed: string;
}

/** A platform file that can't be used; the message has every problem, a line each. */
export class InvalidPlatformFile extends Error {
  override readonly name = 'InvalidPlatformFile';
  readonly file: string;
  readonly problems: readonly PlatformProblem[];

  constructor(file: string, problems: readonly PlatformProblem[]) {
    super(describeProblems(file, problems));
    this.file = file;
    this.problems = problems;
  }
}

/** @returns how many problems there are, then a line for each of the first `most` */
export function describeProblems(
  file: string,
  problems: readonly PlatformProblem[],
  most = Infinity,
): string {
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  const told = problems.slice(0, most).map((problem) => `  ${describeProblem(file, problem)}`);
  const untold = problems.length > told.length ? [`  ... and ${problems.length - told.length} more`] : [];
  return [`${file} is not valid: ${count}`, ...told, ...untold].join('\n');
}

/** @returns one line: `slipway.yaml:12:5 environments.staging.rollout: found ..., allowed: ...` */
function describeProblem(file: string, { path, line, column, found, allowed }: PlatformProblem): string {
  const place = line === undefined ? file : `${file}:${line}:${column ?? 1}`;
  const field = path.length === 0 ? '' : ` ${showPath(path)}`;
  return `${place}${field}: found ${found}; allowed: ${allowed}`;
}

/** @returns `environments.staging.terraform.variableFiles[0]` */
export function showPath(path: Path): string {
  return path
    .map((step, i) => (typeof step === 'number' ? `[${step}]` : `${i === 0 ? '' : '.'}${step}`))
    .join('');
}

/** @returns the value as people wrote it, shortened, with its type where that is what is wrong */
export function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'an empty value';
  const json = JSON.stringify(value);
  const short = json.length <= 60 ? json : `${json.slice(0, 57)}...`;
  if (Array.isArray(value)) return `the list ${short}`;
  return typeof value === 'object'
    ? `the map ${short}`
    : `${short}${typeof value === 'string' ? '' : ` (a ${typeof value})`}`;
}

/** Checks `value` by `schema`. `base` is where the value stands in the file. */
export function shapeProblems(schema: z.ZodType, value: unknown, base: Path = []): PlatformProblem[] {
  const issues = schema.safeParse(value, { reportInput: true }).error?.issues ?? [];
  return issues
    .flatMap((issue) => problemsOf(schema, issue, []))
    .map((problem) => ({ ...problem, path: [...base, ...problem.path] }));
}

type Issue = z.core.$ZodIssue;

function problemsOf(schema: z.ZodType, issue: Issue, base: Path): PlatformProblem[] {
  const path = [...base, ...issue.path.filter((step) => typeof step !== 'symbol')];
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => unknownName([...path, key], 'field', key, fieldsAt(schema, path)));
  }
  if (issue.code === 'invalid_key') {
    return [
      { path, found: `the name ${show(path.at(-1))}`, allowed: issue.issues[0]?.message ?? issue.message },
    ];
  }
  if (issue.code === 'invalid_union') {
    // The branch that got beyond the value's own type is the one that was meant.
    const meant = issue.errors.find((branch) => branch.every(({ path: inner }) => inner.length > 0));
    if (meant && meant.length > 0) return meant.flatMap((inner) => problemsOf(schema, inner, path));
  }
  return [{ path, found: show(issue.input), allowed: issue.message }];
}

/** A problem for a name that is none of `names`. */
export function unknownName(
  path: Path,
  what: string,
  name: string,
  names: readonly string[],
): PlatformProblem {
  const meant = closest(name, names);
  const known = names.length > 0 ? names.join(', ') : `none: the file has no ${what}`;
  return {
    path,
    found: `the unknown ${what} "${name}"`,
    allowed: meant ? `${known} (did you mean ${meant}?)` : known,
  };
}

function fieldsAt(schema: z.core.$ZodType, path: Path): string[] {
  const [step, ...rest] = path;
  if (
    schema instanceof z.ZodExactOptional ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault
  ) {
    return fieldsAt(schema.unwrap(), path);
  }
  if (schema instanceof z.ZodObject) {
    const shape: Record<string, z.core.$ZodType> = schema.shape;
    const field = step === undefined ? undefined : shape[String(step)];
    return field ? fieldsAt(field, rest) : Object.keys(shape);
  }
  if (schema instanceof z.ZodRecord) {
    const key = schema.keyType;
    if (step === undefined && key instanceof z.ZodEnum) return key.options.map(String);
    return fieldsAt(schema.valueType, rest);
  }
  return [];
}
