import { execa } from 'execa';
import type { TrialObject, TrialServer } from '../trial-provider/server.ts';
import { addressOf } from './configuration.ts';
import type { Ground } from './ground.ts';
import { unknownTo } from './world.ts';

/** Does at a terminal what a question asks a person to do. */
export class Person {
  readonly #ground: Ground;
  readonly #server: TrialServer;
  readonly #directory: string;
  readonly #path: string;

  /** @param directory with the configuration, initialised for the state at `path` */
  constructor(ground: Ground, server: TrialServer, directory: string, path: string) {
    this.#ground = ground;
    this.#server = server;
    this.#directory = directory;
    this.#path = path;
  }

  /** Objects that are there, and the state does not know. */
  get orphans(): readonly TrialObject[] {
    return unknownTo(this.#ground.backend.state(this.#path), this.#server.objects());
  }

  /** @returns whether there was a lock to release */
  async unlock(): Promise<boolean> {
    const lock = this.#ground.backend.lock(this.#path);
    if (lock === undefined) return false;
    await this.#terraform('force-unlock', '-force', lock.ID);
    return true;
  }

  /** Makes the state know what is there, or has what it does not know deleted. */
  async putRight(remedy: 'import' | 'delete'): Promise<void> {
    for (const { id, name } of this.orphans) {
      if (remedy === 'delete') this.#server.remove(id);
      else await this.#terraform('import', '-input=false', addressOf(name), id);
    }
  }

  async #terraform(...args: string[]): Promise<void> {
    await execa('terraform', args, {
      cwd: this.#directory,
      env: this.#ground.environment,
      extendEnv: false,
    });
  }
}
