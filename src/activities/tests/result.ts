import { appendFile, copyFile, mkdir, readFile, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestSuite } from '../../domain/policy.ts';
import { tail } from '../process/output.ts';
import { redact } from '../process/redact.ts';
import type { ProcessEnd } from '../process/run.ts';
import { processFiles } from '../process/wrapper.ts';
import type { TestResult } from './types.ts';

/** Bytes. */
const LONGEST_DETAIL = 2048;
/** Milliseconds: 30 days. */
const LOGS_KEPT_FOR = 30 * 24 * 3600 * 1000;

/** The result, but for how long it took, with the last lines of its log. */
export async function judge(
  suite: TestSuite,
  end: ProcessEnd,
  log: string,
  secrets: readonly string[],
): Promise<Omit<TestResult, 'duration'>> {
  const passed = end.kind === 'exited' && end.code === 0 && !end.timedOut;
  const why = reason(suite, end);
  const output = redact((await tail(log, LONGEST_DETAIL * 2)).trimEnd(), secrets);
  const detail = `${why}\n${lastLines(output, LONGEST_DETAIL - Buffer.byteLength(why) - 1)}`.trimEnd();
  return { suite: suite.name, passed, detail, log };
}

/**
 * Keeps a suite's whole output in `logs` of the data directory, what went to stderr last, and drops old logs.
 * @returns the log's path
 */
export async function keepLog(process: string, dataDirectory: string, name: string): Promise<string> {
  const logs = join(dataDirectory, 'logs');
  await mkdir(logs, { recursive: true, mode: 0o700 });
  await removeOld(logs);
  const log = join(logs, name);
  const files = processFiles(process);
  await copyFile(files.stdout, log);
  const errors = await readFile(files.stderr);
  if (errors.length > 0) await appendFile(log, Buffer.concat([Buffer.from('--- stderr ---\n'), errors]));
  return log;
}

async function removeOld(logs: string): Promise<void> {
  for (const name of await readdir(logs)) {
    const path = join(logs, name);
    const age = await stat(path).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      () => 0,
    );
    if (age > LOGS_KEPT_FOR) await rm(path, { force: true });
  }
}

function reason({ name, timeoutSeconds }: TestSuite, end: ProcessEnd): string {
  if (end.timedOut) return `${name} was stopped: it ran longer than ${timeoutSeconds} s.`;
  if (end.kind === 'lost') return `${name} was killed.`;
  if (end.code === 0) return `${name} passed.`;
  if (end.code === 127) return `${name} failed: its command was not found on the worker (exit code 127).`;
  if (end.code > 128) return `${name} failed: signal ${end.code - 128} ended it.`;
  return `${name} failed: exit code ${end.code}.`;
}

/** The last whole lines within `bytes` of UTF-8. */
function lastLines(text: string, bytes: number): string {
  const all = Buffer.from(text);
  if (all.length <= bytes) return text;
  const end = all.subarray(all.length - bytes).toString();
  const line = end.indexOf('\n');
  return line === -1 ? end.replace(/^\uFFFD+/, '') : end.slice(line + 1);
}
