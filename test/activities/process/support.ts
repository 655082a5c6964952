import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach } from '@jest/globals';
import type { Supervisor } from '../../../src/activities/process/supervisor.ts';

/** Directories of one test file, removed after each test. */
export function temporaryDirectories(): () => Promise<string> {
  const made: string[] = [];
  afterEach(async () => {
    await Promise.all(made.splice(0).map((path) => rm(path, { recursive: true, force: true })));
  });
  return async () => {
    const path = await mkdtemp(join(tmpdir(), 'slipway-test-'));
    made.push(path);
    return path;
  };
}

/** @returns the first value that isn't undefined or false, within `limit` milliseconds */
export async function eventually<T>(
  look: () => Promise<T | undefined | false> | T | undefined | false,
  limit = 15_000,
): Promise<T> {
  const deadline = Date.now() + limit;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > deadline) throw new Error(`Nothing came within ${limit} ms: ${look.toString()}`);
    await delay(20);
  }
}

export class TestSupervisor implements Supervisor {
  readonly lines: string[] = [];
  private readonly controller = new AbortController();
  private stop = false;
  readonly signal = this.controller.signal;

  heartbeat(line: string): void {
    this.lines.push(line);
  }
  mustStop(): boolean {
    return this.stop;
  }
  failure(): Error {
    return new Error('attempt ended');
  }
  /** The run was cancelled (`stop`), or this attempt merely ended. */
  end({ stop }: { stop: boolean }): void {
    this.stop = stop;
    this.controller.abort();
  }
}
