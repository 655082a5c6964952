import { request } from 'node:http';
import { json } from 'node:stream/consumers';
import { ProviderError } from '../../../sandbox/terraform-provider/plugin/diagnostics.ts';
import type { TrialObject, Wish } from './server.ts';

/** The trial server's interface, as the provider sees it. */
export interface Client {
  create(wish: Wish): Promise<TrialObject>;
  /** @returns when the object is ready */
  ready(id: string, signal: AbortSignal): Promise<void>;
  /** @returns undefined when it is gone */
  read(id: string): Promise<TrialObject | undefined>;
  change(id: string, value: string): Promise<void>;
  remove(id: string): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export function createClient(address: string): Client {
  const send = (method: string, path: string, body?: object, signal?: AbortSignal): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const sent = request(`${address}${path}`, { method, ...(signal && { signal }) }, (response) => {
        const { statusCode: status = 0 } = response;
        const reply = (content: unknown): void => resolve({ status, body: content });
        json(response).then(reply, () => reply(undefined));
      });
      sent.once('error', (error) => reject(signal?.aborted ? (signal.reason as Error) : error));
      sent.end(body && JSON.stringify(body));
    });
  return {
    async create(wish) {
      return demand(await send('POST', '/', wish)) as TrialObject;
    },
    async ready(id, signal) {
      demand(await send('GET', `/${id}/ready`, undefined, signal));
    },
    async read(id) {
      const answer = await send('GET', `/${id}`);
      return answer.status === 404 ? undefined : (demand(answer) as TrialObject);
    },
    async change(id, value) {
      demand(await send('PUT', `/${id}`, { value }));
    },
    async remove(id) {
      const answer = await send('DELETE', `/${id}`);
      if (answer.status !== 404) demand(answer);
    },
  };
}

/** @throws ProviderError with what the server says is wrong */
function demand({ status, body }: Answer): unknown {
  if (status < 400) return body;
  const { error = `The trial server answered ${status}` } = (body ?? {}) as { error?: string };
  throw new ProviderError('Refused by the trial server', error);
}
