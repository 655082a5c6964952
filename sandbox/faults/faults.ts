import type { FaultRecord, Rule } from './rule.ts';

interface Entry {
  readonly id: string;
  readonly rule: Rule;
  matched: number;
  struck: number;
  /** Aborted when the rule is deleted. */
  readonly deleted: AbortController;
}

/** A rule that has just struck. */
export interface Strike<R extends Rule = Rule> {
  readonly rule: R;
  /** Aborted when the rule is deleted. */
  readonly deleted: AbortSignal;
}

/** The faults that were asked for, in the order in which they were. In memory only: a new sandbox has none. */
export class Faults {
  readonly #entries = new Map<string, Entry>();

  /** @param id a rule of that id is replaced; by default one of its own */
  add(rule: Rule, id: string = crypto.randomUUID()): FaultRecord {
    this.delete(id);
    const entry: Entry = { id, rule, matched: 0, struck: 0, deleted: new AbortController() };
    this.#entries.set(id, entry);
    return recordOf(entry);
  }

  list(): FaultRecord[] {
    return [...this.#entries.values()].map(recordOf);
  }

  get(id: string): FaultRecord | undefined {
    const entry = this.#entries.get(id);
    return entry && recordOf(entry);
  }

  /** What waits because of the rule goes on. @returns whether there was such a rule */
  delete(id: string): boolean {
    this.#entries.get(id)?.deleted.abort();
    return this.#entries.delete(id);
  }

  clear(): void {
    for (const id of this.#entries.keys()) this.delete(id);
  }

  /**
   * Counts what happens against the rules that are about it, one after the other.
   * @returns those that strike; what follows is lazy, so that a rule behind one that decides isn't asked
   */
  *strikes<R extends Rule>(concerns: (rule: Rule) => rule is R): Generator<Strike<R>> {
    for (const entry of this.#entries.values()) {
      const { rule, deleted } = entry;
      if (!concerns(rule)) continue;
      entry.matched++;
      if (entry.matched <= rule.skip || entry.struck >= (rule.times ?? Infinity)) continue;
      entry.struck++;
      yield { rule, deleted: deleted.signal };
    }
  }

  /** The first rule that strikes. */
  strike<R extends Rule>(concerns: (rule: Rule) => rule is R): Strike<R> | undefined {
    for (const strike of this.strikes(concerns)) return strike;
    return undefined;
  }
}

function recordOf({ id, rule, matched, struck }: Entry): FaultRecord {
  return { id, ...rule, matched, struck };
}
