import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';

/** What has to hold of the source: `npm run check`. Every check runs; the exit code is 1 when any fails. */
const checks: readonly (readonly [name: string, command: string, ...args: string[]])[] = [
  ['lint', 'oxlint', '--type-aware', '--deny-warnings', '--format=unix'],
  ['types', 'tsc', '-p', 'tsconfig.json'],
  ['format', 'prettier', '--check', '--log-level=warn', '.'],
  ['unused', 'knip', '--no-progress', '--treat-config-hints-as-errors'],
  ['dependencies', 'node', 'scripts/check/dependencies.ts'],
];

const cwd = join(import.meta.dirname, '..');
const waiting = [...checks];
const failed: string[] = [];

async function runNext(): Promise<void> {
  for (let check = waiting.shift(); check !== undefined; check = waiting.shift()) {
    const [name, command, ...args] = check;
    const result = await execa(command, args, {
      cwd,
      preferLocal: true,
      localDir: cwd,
      reject: false,
      all: true,
    });
    const seconds = (result.durationMs / 1000).toFixed(1);
    if (result.failed) failed.push(name);
    console.log(`${result.failed ? 'FAIL' : 'ok  '}  ${name.padEnd(12)} ${seconds} s`);
    if (result.failed) console.log(`${result.all || result.shortMessage}\n`);
  }
}

await Promise.all(Array.from({ length: Math.min(availableParallelism(), checks.length) }, runNext));
console.log(failed.length === 0 ? `${checks.length} checks passed` : `Failed: ${failed.join(', ')}`);
process.exitCode = failed.length === 0 ? 0 : 1;
