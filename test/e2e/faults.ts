import type { FaultRecord } from '../../sandbox/faults/rule.ts';

/** What happens on request in the sandbox: see its `faults/README.md`. */
export class Faults {
  readonly #url: string;

  constructor(sandboxUrl: string) {
    this.#url = `${sandboxUrl}/_sandbox/faults`;
  }

  /** @returns what takes it away again, and tells how often it has met and struck */
  async add(
    fault: Readonly<Record<string, unknown>>,
  ): Promise<{ end: () => Promise<void>; look: () => Promise<FaultRecord> }> {
    const { id } = (await this.#ask('POST', '', fault)) as FaultRecord;
    return {
      end: async () => void (await this.#ask('DELETE', `/${id}`)),
      look: async () => (await this.#ask('GET', `/${id}`)) as FaultRecord,
    };
  }

  async #ask(method: string, path: string, body?: unknown): Promise<unknown> {
    const answer = await fetch(`${this.#url}${path}`, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`the sandbox takes no such fault: ${answer.status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  }
}
