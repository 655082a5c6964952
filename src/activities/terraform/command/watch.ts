import { GrowingFile } from '../../process/growing-file.ts';
import { processFiles } from '../../process/wrapper.ts';
import { UiStream } from './stream.ts';

/** Follows what a command in `directory` tells in its JSON stream. */
export class Watch {
  readonly stream = new UiStream();
  readonly #file: GrowingFile;

  constructor(directory: string) {
    this.#file = new GrowingFile(processFiles(directory).stdout);
  }

  /** Reads what came since the last look. What can't be read is as if it had not come. */
  async look(): Promise<void> {
    for (const line of await this.#file.look().catch(() => [])) this.stream.read(line);
  }

  /**
   * Reads all that is there.
   * @returns whether it is all that the command told: a line is cut on a full disk, too, after which others are missing
   */
  async catchUp(): Promise<boolean> {
    do await this.look();
    while (this.#file.behind);
    return this.#file.found && !this.#file.cut;
  }
}
