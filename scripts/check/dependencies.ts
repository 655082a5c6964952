import { readFileSync } from 'node:fs';
import { glob } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import { join, posix } from 'node:path';
import { importsOf, type Import } from './imports.ts';

/** What the files of one area may import. Paths are the repository's, with `/`; the first rule that fits a file holds. */
interface Rule {
  readonly files: string;
  /** Prefixes of our own files. */
  readonly own: readonly string[];
  /** Prefixes of our own files that may be imported by `import type` alone. */
  readonly ownTypes?: readonly string[];
  readonly noPackages?: RegExp;
  readonly why: string;
}

const outside =
  /^(node:|zod(\/|$)|@aws-sdk\/|@smithy\/|execa$|yaml$|@temporalio\/(client|worker|testing)(\/|$))/;

const rules: readonly Rule[] = [
  {
    files: 'src/domain/',
    own: ['src/domain/'],
    noPackages: /^(node:|zod(\/|$)|@aws-sdk\/|@smithy\/|@temporalio\/|execa$|yaml$)/,
    why: 'the domain is pure: it imports nothing of ours, and nothing that reaches outside',
  },
  {
    files: 'src/contract.ts',
    own: ['src/domain/'],
    noPackages: outside,
    why: 'workflows import the contract, so it has to stay as deterministic as they are',
  },
  {
    files: 'src/workflows/',
    own: ['src/workflows/', 'src/domain/', 'src/contract.ts'],
    ownTypes: ['src/activities/', 'src/platform/'],
    noPackages: outside,
    why: 'workflows are deterministic: of activities they import types alone, and no Node module, zod or AWS SDK',
  },
  {
    files: 'src/platform/',
    own: ['src/platform/', 'src/domain/', 'src/contract.ts'],
    why: 'dependencies point one way: platform -> domain, contract',
  },
  {
    files: 'src/activities/',
    own: ['src/activities/', 'src/platform/', 'src/domain/', 'src/contract.ts'],
    why: 'dependencies point one way: activities -> platform, domain, contract',
  },
  {
    files: 'src/',
    own: ['src/', 'package.json'],
    why: 'Slipway knows nothing of the sandbox, the tests and the scripts',
  },
  { files: 'sandbox/', own: ['sandbox/'], why: 'the sandbox knows nothing of Slipway' },
];

/** Every import under `root` that points the wrong way, a line each: file, what it imports, why it may not. */
export async function wrongImports(root: string): Promise<string[]> {
  const wrong: string[] = [];
  for await (const found of glob(['src/**/*.ts', 'sandbox/**/*.ts'], { cwd: root })) {
    const file = found.replaceAll('\\', '/');
    const rule = rules.find(({ files }) => file.startsWith(files));
    if (rule === undefined) continue;
    const imports = importsOf(readFileSync(join(root, file), 'utf8'));
    const bad = imports.filter((one) => !isAllowed(rule, file, one));
    wrong.push(...bad.map(({ from }) => `${file} imports ${from}: ${rule.why}.`));
  }
  return wrong.toSorted();
}

function isAllowed(rule: Rule, file: string, { from, typeOnly }: Import): boolean {
  if (!from.startsWith('.')) {
    const name = builtinModules.includes(from) ? `node:${from}` : from;
    return typeOnly || rule.noPackages?.test(name) !== true;
  }
  const target = posix.join(posix.dirname(file), from);
  const allowed = typeOnly ? [...rule.own, ...(rule.ownTypes ?? [])] : rule.own;
  return allowed.some((prefix) => target.startsWith(prefix));
}

if (process.argv[1] === import.meta.filename) {
  const wrong = await wrongImports(join(import.meta.dirname, '../..'));
  for (const line of wrong) console.error(line);
  if (wrong.length > 0) process.exitCode = 1;
}
