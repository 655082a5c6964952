import { Agent, request } from 'node:http';

export interface TrafficCount {
  readonly sent: number;
  /** No answer, or a status of 500 and above. */
  readonly failed: number;
  /** What went wrong first. */
  readonly firstFailure?: string;
}

const BODY = JSON.stringify({ text: 'The deployment began at dawn and' });

/** Users of the writing platform: steady requests for suggestions through all three services, from each start to the next stop. */
export class Traffic {
  readonly #url: string;
  readonly #interval: number;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 32 });
  readonly #open = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #sent = 0;
  #failed = 0;
  #firstFailure: string | undefined;

  constructor(url: string, perSecond: number) {
    this.#url = url;
    this.#interval = 1000 / perSecond;
  }

  /** Counts anew. */
  start(): void {
    this.#sent = 0;
    this.#failed = 0;
    this.#firstFailure = undefined;
    this.#timer = setInterval(() => {
      const sent = this.#send().finally(() => this.#open.delete(sent));
      this.#open.add(sent);
    }, this.#interval);
  }

  /** Stops, waits for what is under way, and closes its connections. @returns what was counted since the start */
  async stop(): Promise<TrafficCount> {
    clearInterval(this.#timer);
    await Promise.all(this.#open);
    this.#agent.destroy();
    return this.count();
  }

  count(): TrafficCount {
    const first = this.#firstFailure;
    return { sent: this.#sent, failed: this.#failed, ...(first && { firstFailure: first }) };
  }

  async #send(): Promise<void> {
    this.#sent += 1;
    try {
      const status = await this.#ask();
      if (status >= 500) this.#fail(`HTTP ${status}`);
    } catch (error) {
      this.#fail(error instanceof Error ? error.message : String(error));
    }
  }

  #fail(why: string): void {
    this.#failed += 1;
    this.#firstFailure ??= `${new Date().toISOString()} ${why}`;
  }

  /** @returns the answer's status */
  #ask(): Promise<number> {
    return new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(BODY) };
      const options = { method: 'POST', agent: this.#agent, headers, timeout: 10_000 };
      const asked = request(`${this.#url}/api/suggest`, options, (answer) => {
        answer.resume();
        answer.once('end', () => resolve(answer.statusCode ?? 0));
        answer.once('error', reject);
      });
      asked.once('timeout', () => asked.destroy(new Error('no answer within 10 s')));
      asked.once('error', reject);
      asked.end(BODY);
    });
  }
}
