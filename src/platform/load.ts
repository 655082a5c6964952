import { readFileSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { deadManProblems, manyStepsProblems } from './canary.ts';
import type { Path, YamlDocument } from './document.ts';
import { readYaml } from './document.ts';
import { isMap, merge } from './merge.ts';
import type { PlatformProblem } from './problems.ts';
import { InvalidPlatformFile, shapeProblems, showPath } from './problems.ts';
import { referenceProblems } from './references.ts';
import type { EnvironmentFile, PlatformFile } from './schema.ts';
import { environmentSchema, platformSchema } from './schema.ts';

/** A platform as its file describes it: defaults merged, paths absolute, names checked against each other. */
export type Platform = PlatformFile;

/**
 * Reads `slipway.yaml`.
 * @throws InvalidPlatformFile with every problem of the file
 */
export function loadPlatform(path: string): Platform {
  return parsePlatform(readText(path), path);
}

/**
 * @param path names the file in errors; relative paths in `text` are relative to its folder
 * @throws InvalidPlatformFile with every problem of the text
 */
export function parsePlatform(text: string, path: string): Platform {
  const read = readYaml(text);
  if ('problems' in read) throw new InvalidPlatformFile(path, read.problems);
  const { document } = read;
  const merged = withDefaults(document.value);
  const shape = [...defaultsProblems(document.value), ...shapeProblems(platformSchema, merged)];
  const problems = [
    ...shape,
    ...referenceProblems(merged),
    // What durations and steps come to together is known only where all of them are ones.
    ...(shape.length === 0 ? sumProblems(platformSchema.parse(merged)) : []),
  ];
  if (problems.length > 0) throw new InvalidPlatformFile(path, inOrder(document, problems));
  return absolute(platformSchema.parse(merged), dirname(resolve(path)));
}

function sumProblems(platform: PlatformFile): PlatformProblem[] {
  return [...deadManProblems(platform), ...manyStepsProblems(platform)];
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = isMap(error) ? String(error['code']) : 'an error';
    const found = code === 'ENOENT' ? 'no such file' : `${code} when it was read`;
    throw new InvalidPlatformFile(path, [
      {
        path: [],
        found,
        allowed: `a readable ${basename(path)}; SLIPWAY_PLATFORM_FILE says where it is`,
      },
    ]);
  }
}

/** The file's value with `defaults` merged under each environment, and gone. */
function withDefaults(value: unknown): unknown {
  if (!isMap(value)) return value;
  const { defaults, environments, ...rest } = value;
  if (!isMap(environments)) return { ...rest, ...('environments' in value && { environments }) };
  const merged = Object.entries(environments).map(([name, own]) => [name, merge(defaults, own)] as const);
  return { ...rest, environments: Object.fromEntries(merged) };
}

/** `defaults` has an environment's fields, none of which has to be there. */
function defaultsProblems(value: unknown): PlatformProblem[] {
  if (!isMap(value) || !('defaults' in value)) return [];
  return shapeProblems(environmentSchema, value['defaults'], ['defaults']).filter(
    ({ found }) => found !== 'nothing',
  );
}

/** The problems with their places, in the file's order. One that an environment has from `defaults` is told there, once. */
function inOrder(document: YamlDocument, problems: readonly PlatformProblem[]): PlatformProblem[] {
  const told = new Map<string, PlatformProblem>();
  for (const problem of problems) {
    const path = origin(document.value, problem);
    const { line, column } = document.locate(path);
    const key = `${showPath(path)} ${problem.found} ${problem.allowed}`;
    if (!told.has(key)) told.set(key, { ...problem, path, line, column });
  }
  return [...told.values()].toSorted(
    (a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0),
  );
}

function origin(value: unknown, { path, found }: PlatformProblem): Path {
  const [first, , ...inside] = path;
  if (first !== 'environments' || inside.length === 0 || found === 'nothing' || has(value, path)) return path;
  return has(value, ['defaults', ...inside]) ? ['defaults', ...inside] : path;
}

function has(value: unknown, path: Path): boolean {
  const [step, ...rest] = path;
  if (step === undefined) return true;
  if (Array.isArray(value)) return typeof step === 'number' && step in value && has(value[step], rest);
  return isMap(value) && Object.hasOwn(value, step) && has(value[String(step)], rest);
}

function absolute(platform: Platform, folder: string): Platform {
  const environments = Object.entries(platform.environments).map(
    ([name, environment]) => [name, withStatePath(environment, folder)] as const,
  );
  return {
    ...platform,
    source: {
      repository: isUrl(platform.source.repository)
        ? platform.source.repository
        : resolve(folder, platform.source.repository),
    },
    environments: Object.fromEntries(environments),
  };
}

function withStatePath(environment: EnvironmentFile, folder: string): EnvironmentFile {
  const path = environment.terraform?.backend['path'];
  if (!environment.terraform || !path?.startsWith('./')) return environment;
  const backend = { ...environment.terraform.backend, path: resolve(folder, path) };
  return { ...environment, terraform: { ...environment.terraform, backend } };
}

/** As git tells a URL (`https://host/path`, `user@host:path`, `host:path`) from a path: a colon before the first slash. */
function isUrl(repository: string): boolean {
  return /^[^/]+:/.test(repository);
}
