import { execa } from 'execa';
import { redactUrl } from './repository-url.ts';

/** What git may see of the worker's environment: how to reach the network and to prove who asks. */
const PASSED_ON =
  /^(PATH|HOME|TMPDIR|USER|LOGNAME|SSH_AUTH_SOCK|SSL_CERT_(FILE|DIR)|GIT_(SSH|SSH_COMMAND|SSL_.*|ASKPASS|CONFIG_COUNT|CONFIG_KEY_\d+|CONFIG_VALUE_\d+|CONFIG_GLOBAL|CONFIG_SYSTEM)|(https?|no|all)_proxy|(HTTPS?|NO|ALL)_PROXY)$/;

/** git failed. `stderr` has no credentials. */
export class GitError extends Error {
  override readonly name = 'GitError';
  readonly stderr: string;
  constructor(command: string, stderr: string) {
    super(`git ${command} failed: ${stderr}`);
    this.stderr = stderr;
  }
}

export type Git = (
  args: readonly string[],
  options?: { env?: Record<string, string>; cwd?: string },
) => Promise<string>;

/** Runs git without prompts, hooks or a person's own locale. `git(args)` answers with its stdout. */
export function createGit(environment: Readonly<NodeJS.ProcessEnv>): Git {
  const passedOn = Object.fromEntries(Object.entries(environment).filter(([name]) => PASSED_ON.test(name)));
  const fixed = {
    LC_ALL: 'C',
    GIT_TERMINAL_PROMPT: '0',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_NO_REPLACE_OBJECTS: '1',
  };
  return async (args, { env = {}, cwd } = {}) => {
    const result = await execa('git', ['-c', 'core.hooksPath=/dev/null', '-c', 'gc.auto=0', ...args], {
      env: { ...passedOn, ...fixed, ...env },
      extendEnv: false,
      ...(cwd !== undefined && { cwd }),
      stripFinalNewline: false,
      reject: false,
      stdin: 'ignore',
      maxBuffer: 64 * 1024 * 1024,
    });
    if (!result.failed) return result.stdout;
    const why =
      result.exitCode === undefined ? (result.shortMessage ?? 'it could not be started') : result.stderr;
    throw new GitError(args[0] ?? '', redactUrl(why.trim()));
  };
}
