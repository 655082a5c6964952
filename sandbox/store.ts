import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { lockDirectory } from './store-lock.ts';
import type { DirectoryLock } from './store-lock.ts';

/** A named set of JSON values. A value must not be changed in place: change a copy and `set` it. */
export interface Table<T> {
  get(key: string): T | undefined;
  set(key: string, value: T): void;
  delete(key: string): void;
  values(): T[];
  entries(): [string, T][];
}

type Tables = Map<string, Map<string, unknown>>;
/** A line of the journal: table, key and value; no value when the key was deleted. */
type Entry = [table: string, key: string, value?: unknown];

const COMPACT_ABOVE_BYTES = 16 * 1024 * 1024;

/** The state directory can't be used: not readable, not writable, held by another sandbox, or not ours. */
export class StateDirectoryError extends Error {
  override readonly name = 'StateDirectoryError';
}

/**
 * The sandbox's state: tables in memory, a snapshot and a journal on disk. A change is in the journal before
 * `flush` resolves, so that a killed sandbox finds all that it ever acknowledged.
 */
export class Store {
  readonly #directory: string;
  readonly #lock: DirectoryLock;
  readonly #tables: Tables;
  #generation: number;
  #journal: FileHandle;
  #journalBytes = 0;
  #pending: string[] = [];
  #writing: Promise<void> = Promise.resolve();
  #scheduled = false;
  #failure: unknown;

  private constructor(
    directory: string,
    lock: DirectoryLock,
    tables: Tables,
    generation: number,
    journal: FileHandle,
  ) {
    this.#directory = directory;
    this.#lock = lock;
    this.#tables = tables;
    this.#generation = generation;
    this.#journal = journal;
  }

  /** @throws StateDirectoryError */
  static async open(stateDir: string): Promise<Store> {
    let lock: DirectoryLock | undefined;
    try {
      await mkdir(stateDir, { recursive: true });
      lock = await lockDirectory(stateDir);
      const { tables, generation } = await load(stateDir);
      const next = generation + 1;
      const journal = await startGeneration(stateDir, tables, next);
      return new Store(stateDir, lock, tables, next, journal);
    } catch (error) {
      await lock?.release();
      if (error instanceof StateDirectoryError) throw error;
      throw new StateDirectoryError(`Can't use the state directory ${stateDir}: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }

  /** The table of that name; made empty when there is none. */
  table<T>(name: string): Table<T> {
    const rows = (this.#tables.get(name) ?? this.#addTable(name)) as Map<string, T>;
    return {
      get: (key) => rows.get(key),
      set: (key, value) => {
        rows.set(key, value);
        this.#append([name, key, value]);
      },
      delete: (key) => {
        if (rows.delete(key)) this.#append([name, key]);
      },
      values: () => [...rows.values()],
      entries: () => [...rows.entries()],
    };
  }

  /** Resolves when every change made so far is on disk. */
  async flush(): Promise<void> {
    if (this.#pending.length > 0) this.#writing = this.#writing.then(() => this.#write());
    await this.#writing;
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Flushes and gives the directory back. The store must not be used afterwards. */
  async close(): Promise<void> {
    try {
      await this.flush();
    } finally {
      await this.#journal.close();
      await this.#lock.release();
    }
  }

  #addTable(name: string): Map<string, unknown> {
    const rows = new Map<string, unknown>();
    this.#tables.set(name, rows);
    return rows;
  }

  #append(entry: Entry): void {
    this.#pending.push(`${JSON.stringify(entry)}\n`);
    if (this.#scheduled) return;
    this.#scheduled = true;
    // Changes that no request waits for are written too, at the end of this turn.
    setImmediate(() => {
      this.#scheduled = false;
      this.flush().catch(() => undefined);
    });
  }

  async #write(): Promise<void> {
    if (this.#pending.length === 0 || this.#failure !== undefined) return;
    const lines = this.#pending.join('');
    this.#pending = [];
    try {
      await this.#journal.appendFile(lines);
      await this.#journal.datasync();
      this.#journalBytes += lines.length;
      if (this.#journalBytes > COMPACT_ABOVE_BYTES) await this.#compact();
    } catch (error) {
      // What memory holds is no longer what the disk holds: nothing more may be acknowledged.
      this.#failure = error;
    }
  }

  async #compact(): Promise<void> {
    const old = this.#journal;
    this.#pending = [];
    this.#generation += 1;
    this.#journal = await startGeneration(this.#directory, this.#tables, this.#generation);
    this.#journalBytes = 0;
    await old.close();
  }
}

const snapshotPath = (directory: string): string => join(directory, 'state.json');
const journalPath = (directory: string, generation: number): string =>
  join(directory, `journal.${generation}.jsonl`);

async function load(directory: string): Promise<{ tables: Tables; generation: number }> {
  const text = await readIfThere(snapshotPath(directory));
  if (text === undefined) return { tables: new Map(), generation: 0 };
  const snapshot = parseSnapshot(text, directory);
  const tables: Tables = new Map(
    Object.entries(snapshot.tables).map(([name, rows]) => [name, new Map(Object.entries(rows))]),
  );
  replay(tables, (await readIfThere(journalPath(directory, snapshot.generation))) ?? '');
  return { tables, generation: snapshot.generation };
}

interface Snapshot {
  generation: number;
  tables: Record<string, Record<string, unknown>>;
}

function parseSnapshot(text: string, directory: string): Snapshot {
  try {
    const snapshot = JSON.parse(text) as Partial<Snapshot> | null;
    if (typeof snapshot?.generation === 'number' && typeof snapshot.tables === 'object')
      return snapshot as Snapshot;
  } catch {
    // Said below.
  }
  throw new StateDirectoryError(
    `${snapshotPath(directory)} isn't a state file of the sandbox: choose another directory or delete it`,
  );
}

function replay(tables: Tables, journal: string): void {
  // A last line without its end was being written when the sandbox was killed: never acknowledged.
  for (const line of journal.slice(0, journal.lastIndexOf('\n') + 1).split('\n')) {
    if (line === '') continue;
    const [table, key, value] = JSON.parse(line) as Entry;
    const rows = tables.get(table) ?? new Map<string, unknown>();
    tables.set(table, rows);
    if (value === undefined) rows.delete(key);
    else rows.set(key, value);
  }
}

/** Writes the snapshot that the new journal continues. The rename is what makes the generation the valid one. */
async function startGeneration(directory: string, tables: Tables, generation: number): Promise<FileHandle> {
  const journal = await open(journalPath(directory, generation), 'w');
  const temporary = `${snapshotPath(directory)}.new`;
  const snapshot: Snapshot = {
    generation,
    tables: Object.fromEntries([...tables].map(([name, rows]) => [name, Object.fromEntries(rows)])),
  };
  const file = await open(temporary, 'w');
  try {
    await file.writeFile(JSON.stringify(snapshot));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, snapshotPath(directory));
  await rm(journalPath(directory, generation - 1), { force: true });
  return journal;
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
