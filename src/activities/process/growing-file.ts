import { open } from 'node:fs/promises';

/** Bytes that one look reads at most, so that heartbeats go on however much was written. */
const AT_A_LOOK = 4 * 1024 * 1024;
/** Bytes. A longer line is left out. */
const LONGEST_LINE = 256 * 1024;
const NEWLINE = 0x0a;

/** A file that a process writes lines to, read piece by piece: nothing is read twice, and no line is cut. */
export class GrowingFile {
  readonly #path: string;
  #offset = 0;
  #rest: Buffer = Buffer.alloc(0);
  #skipping = false;
  #behind = false;
  #found = false;

  constructor(path: string) {
    this.#path = path;
  }

  /** There is such a file. */
  get found(): boolean {
    return this.#found;
  }

  /** There was more than one look reads. */
  get behind(): boolean {
    return this.#behind;
  }

  /** It ends in the middle of a line. */
  get cut(): boolean {
    return this.#rest.length > 0 || this.#skipping;
  }

  /** The whole lines that came since the last look; none when there is no file yet. */
  async look(): Promise<string[]> {
    const added = await this.#readOn();
    const end = added.lastIndexOf(NEWLINE);
    if (end === -1) {
      this.#keep(Buffer.concat([this.#rest, added]));
      return [];
    }
    const text = Buffer.concat([this.#rest, added.subarray(0, end)]).toString('utf8');
    const lines = this.#skipping ? text.split('\n').slice(1) : text.split('\n');
    this.#skipping = false;
    this.#keep(Buffer.from(added.subarray(end + 1)));
    return lines.filter((line) => line.length <= LONGEST_LINE);
  }

  #keep(rest: Buffer): void {
    this.#skipping ||= rest.length > LONGEST_LINE;
    this.#rest = this.#skipping ? Buffer.alloc(0) : rest;
  }

  async #readOn(): Promise<Buffer> {
    this.#behind = false;
    const file = await open(this.#path).catch(() => undefined);
    this.#found = file !== undefined;
    if (!file) return Buffer.alloc(0);
    try {
      const { size } = await file.stat();
      const length = Math.min(AT_A_LOOK, Math.max(0, size - this.#offset));
      if (length === 0) return Buffer.alloc(0);
      const { buffer, bytesRead } = await file.read({
        buffer: Buffer.alloc(length),
        position: this.#offset,
      });
      this.#offset += bytesRead;
      this.#behind = bytesRead > 0 && this.#offset < size;
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  }
}
