import type { FaultRecord } from '../../../sandbox/faults/rule.ts';

/** A sandbox's faults, asked for over HTTP as anyone would. */
export class FaultControl {
  readonly #url: string;

  constructor(sandboxUrl: string) {
    this.#url = `${sandboxUrl}/_sandbox/faults`;
  }

  /** @throws Error with the sandbox's answer when the rule is refused */
  async add(rule: object): Promise<FaultRecord> {
    const response = await this.ask('POST', '', rule);
    if (response.status !== 201) throw new Error(await response.text());
    return (await response.json()) as FaultRecord;
  }

  async list(): Promise<FaultRecord[]> {
    const { faults } = (await (await this.ask('GET')).json()) as { faults: FaultRecord[] };
    return faults;
  }

  /** How often the only rule was asked about, and how often it struck. */
  async counts(): Promise<Pick<FaultRecord, 'matched' | 'struck'>[]> {
    return (await this.list()).map(({ matched, struck }) => ({ matched, struck }));
  }

  async clear(): Promise<void> {
    await this.ask('DELETE');
  }

  ask(method: string, path = '', body?: unknown): Promise<Response> {
    return fetch(`${this.#url}${path}`, {
      method,
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
  }
}
