import { spawn, spawnSync } from 'node:child_process';

/** What a command prints to stdout, or undefined when it fails or hangs for 20 s. */
export function outputOf(command, args, environment = {}) {
  const result = spawnSync(command, args, {
    encoding: 'utf8',
    timeout: 20_000,
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, ...environment },
  });
  return result.status === 0 ? result.stdout : undefined;
}

/**
 * Runs one step of the installation. What it prints goes to stderr: stdout is the user's command's alone.
 * A signal that ends this process ends the step too.
 * @param {(pid: number) => void} onStart told the step's process id
 * @returns {Promise<number>} the exit code
 */
export function runStep(command, args, { environment = {}, onStart, cwd }) {
  return new Promise((settle, fail) => {
    const child = spawn(command, args, {
      cwd,
      stdio: ['ignore', 2, 2],
      env: { ...process.env, ...environment },
    });
    if (child.pid !== undefined) onStart(child.pid);
    const stop = (signal) => {
      child.kill(signal);
      child.once('exit', () => process.exit(signal === 'SIGINT' ? 130 : 143));
    };
    process.on('SIGINT', stop).on('SIGTERM', stop);
    child.once('error', fail);
    child.once('exit', (code) => {
      process.off('SIGINT', stop).off('SIGTERM', stop);
      settle(code ?? 1);
    });
  });
}
