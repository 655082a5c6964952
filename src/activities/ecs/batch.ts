/** What one group of asks has in common: a cluster, or an account and region. */
export interface BatchOptions<Group, Value> {
  /** Least milliseconds between two requests of one group. */
  readonly interval: number;
  /** The most names that one request may hold. */
  readonly size: number;
  readonly keyOf: (group: Group) => string;
  readonly fetch: (group: Group, names: string[]) => Promise<ReadonlyMap<string, Value>>;
}

interface Batch<Value> {
  readonly names: Set<string>;
  readonly answer: Promise<ReadonlyMap<string, Value>>;
}

/**
 * Coalesces polls: whoever asks for a name of a group within one interval shares one request (as many as `size` needs).
 * The answer is always read after the question.
 */
export function createBatcher<Group, Value>(options: BatchOptions<Group, Value>) {
  const waiting = new Map<string, Batch<Value>>();
  const lastSent = new Map<string, number>();

  function open(group: Group, key: string): Batch<Value> {
    const names = new Set<string>();
    const due = (lastSent.get(key) ?? 0) + options.interval - performance.now();
    // Unreferenced: when all who asked are cancelled, the wait must not hold the process.
    const wait = new Promise<void>((resolve) => void setTimeout(resolve, Math.max(0, due)).unref());
    const answer = wait.then(() => {
      waiting.delete(key);
      lastSent.set(key, performance.now());
      return fetchAll(options, group, [...names]);
    });
    const batch = { names, answer };
    waiting.set(key, batch);
    return batch;
  }

  return {
    /** @returns what the next request of the group has of `name`; `undefined` when it has nothing */
    ask: async (group: Group, name: string): Promise<Value | undefined> => {
      const key = options.keyOf(group);
      const batch = waiting.get(key) ?? open(group, key);
      batch.names.add(name);
      return (await batch.answer).get(name);
    },
  };
}

async function fetchAll<Group, Value>(
  { size, fetch }: BatchOptions<Group, Value>,
  group: Group,
  names: string[],
): Promise<ReadonlyMap<string, Value>> {
  const answers = await Promise.all(chunks(names, size).map((chunk) => fetch(group, chunk)));
  return new Map(answers.flatMap((answer) => [...answer]));
}

export function chunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) =>
    items.slice(i * size, (i + 1) * size),
  );
}

/** What all pages of a list hold. */
export async function allPages<T>(
  page: (nextToken: string | undefined) => Promise<{ items: T[] | undefined; nextToken: string | undefined }>,
): Promise<T[]> {
  const all: T[] = [];
  let next: string | undefined;
  do {
    const { items = [], nextToken } = await page(next);
    all.push(...items);
    next = nextToken;
  } while (next);
  return all;
}
