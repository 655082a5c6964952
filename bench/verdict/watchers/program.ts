import { execa } from 'execa';
import { environmentFor, type Watch } from './watcher.ts';

interface Program {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string;
}

/** Runs a program to its end and takes its exit code as its word; killed when the watch is over, it said nothing. */
export async function sayByExitCode(
  { proxy, services, signal, say }: Watch,
  { command, args, cwd }: Program,
): Promise<void> {
  const ended = await execa(command, args, {
    env: environmentFor(proxy.url),
    extendEnv: false,
    reject: false,
    all: true,
    stdin: 'ignore',
    cancelSignal: signal,
    ...(cwd !== undefined && { cwd }),
  });
  if (signal.aborted) return;
  if (ended.exitCode === undefined) throw new Error(`${command} did not run: ${ended.shortMessage}`);
  const last = ended.all.trimEnd().split('\n').slice(-3).join(' / ');
  say({
    services,
    says: ended.exitCode === 0 ? 'success' : 'failure',
    words: `exit code ${ended.exitCode}${last === '' ? '' : `: ${last}`}`,
  });
}

/** What a program says of its version; undefined when it can't be run. */
export async function versionOf(command: string, ...args: string[]): Promise<string | undefined> {
  const { stdout, stderr, failed } = await execa(command, args, { reject: false, timeout: 20_000 });
  if (failed) return undefined;
  return /\d+\.\d+\.\d+[\w.-]*/.exec(`${stdout} ${stderr}`)?.[0] ?? 'unknown';
}
