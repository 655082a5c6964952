import { spawn } from 'node:child_process';
import { delimiter } from 'node:path';
import { isatty } from 'node:tty';
import { SetupError } from './arguments.mjs';
import { which } from './paths.mjs';

const forwarded = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'];
const fromTerminal = new Set(['SIGINT', 'SIGQUIT']);

/**
 * Runs the user's command in this process's place: same terminal, signals and end.
 * @param {readonly string[]} command and its arguments
 * @param {NodeJS.ProcessEnv} env what it gets to see
 */
export async function run([command, ...args], env) {
  const file = which(command, env.PATH.split(delimiter));
  if (file === undefined) throw new SetupError(`Command not found: ${command}`);
  const child = spawn(file, args, { stdio: 'inherit', env });
  // A terminal sends Ctrl-C to the command itself; a second one would tell it to hurry.
  const forward = (signal) => (isatty(0) && fromTerminal.has(signal) ? undefined : child.kill(signal));
  for (const signal of forwarded) process.on(signal, forward);
  const [code, signal] = await new Promise((settle, fail) => {
    child.once('error', fail);
    child.once('exit', (...end) => settle(end));
  });
  for (const name of forwarded) process.off(name, forward);
  if (signal === null) process.exitCode = code;
  else process.kill(process.pid, signal);
}
