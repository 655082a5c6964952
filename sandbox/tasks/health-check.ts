import { spawn } from 'node:child_process';
import type { ContainerDefinition } from '@aws-sdk/client-ecs';
import type { Clock } from '../clock.ts';
import type { Command } from './command.ts';
import type { Health } from './types.ts';

/** ECS's own defaults, in seconds. */
const DEFAULTS = { interval: 30, timeout: 5, retries: 3, startPeriod: 0 };

export interface HealthWatch {
  stop(): void;
}

/**
 * Runs a container's health check as ECS does: every interval, with a timeout; `retries` failures in a row after
 * the start period make it unhealthy, one success makes it healthy.
 * @param toCommand maps the check's words to what can be executed here
 */
export function watchHealth(
  container: ContainerDefinition,
  clock: Clock,
  environment: Readonly<Record<string, string>>,
  toCommand: (words: readonly string[]) => Command,
  changed: (health: Health) => void,
): HealthWatch {
  const check = { ...DEFAULTS, ...definedOf(container.healthCheck ?? {}) };
  const stopped = new AbortController();
  const begun = clock.now();
  let health: Health = 'UNKNOWN';
  let failures = 0;
  const judge = (passed: boolean): void => {
    const starting = health === 'UNKNOWN' && (clock.now() - begun) * clock.speed < check.startPeriod * 1000;
    failures = passed ? 0 : failures + (starting ? 0 : 1);
    const next = passed ? 'HEALTHY' : failures >= check.retries ? 'UNHEALTHY' : health;
    if (next !== health) changed((health = next));
  };
  const loop = async (): Promise<void> => {
    const words = wordsOf(container.healthCheck?.command ?? []);
    while (!stopped.signal.aborted) {
      await clock.sleep(check.interval * 1000, stopped.signal);
      const passed = await run(toCommand, words, environment, (check.timeout * 1000) / clock.speed);
      if (!stopped.signal.aborted) judge(passed);
    }
  };
  loop().catch(() => undefined);
  return { stop: () => stopped.abort() };
}

/** `CMD` runs the rest as it is; `CMD-SHELL` gives it to a shell; without either, all words are a command. */
function wordsOf(command: readonly string[]): readonly string[] {
  const [first, ...rest] = command;
  if (first === 'CMD-SHELL') return ['/bin/sh', '-c', rest.join(' ')];
  return first === 'CMD' ? rest : command;
}

/** A check that can't be run has failed. A true timeout is at least a second: programs take time to start. */
function run(
  toCommand: (words: readonly string[]) => Command,
  words: readonly string[],
  env: Readonly<Record<string, string>>,
  timeoutMs: number,
): Promise<boolean> {
  return new Promise((resolve) => {
    let command: Command;
    try {
      command = toCommand(words);
    } catch {
      return resolve(false);
    }
    const [program, ...args] = command.argv;
    const timeout = Math.max(timeoutMs, 1000);
    const child = spawn(program, args, {
      cwd: command.cwd,
      env,
      stdio: 'ignore',
      timeout,
      killSignal: 'SIGKILL',
    });
    child.once('error', () => resolve(false));
    child.once('exit', (code) => resolve(code === 0));
  });
}

function definedOf<T extends object>(value: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as {
    [K in keyof T]?: NonNullable<T[K]>;
  };
}
