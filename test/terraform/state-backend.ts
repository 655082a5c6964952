import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** A lock as Terraform describes it to a backend. */
export interface LockInfo {
  readonly ID: string;
  readonly Operation: string;
  readonly Who: string;
  readonly Created: string;
  readonly Version: string;
  readonly Info: string;
  readonly Path: string;
}

/** The parts of a state that tests look at. */
export interface StateFile {
  readonly serial: number;
  readonly lineage: string;
  readonly outputs: Readonly<Record<string, { readonly value: unknown }>>;
  readonly resources: readonly {
    readonly mode: string;
    readonly type: string;
    readonly name: string;
    readonly instances: readonly {
      readonly index_key?: string | number;
      readonly status?: string;
      readonly attributes: Readonly<Record<string, unknown>>;
    }[];
  }[];
}

export type Operation = 'read' | 'write' | 'lock' | 'unlock' | 'delete';

/**
 * What a request meets: `refuse` a connection that is reset, `error` the answer 500, `break off` a connection that is
 * reset once the request is read. Nothing is saved, locked or unlocked in any of them.
 */
export type Fault = 'refuse' | 'error' | 'break off';

export interface Request {
  readonly operation: Operation;
  readonly path: string;
  /** The lock that it comes with, asks for or gives back; absent from a read, and from a `force-unlock`. */
  readonly lockId?: string;
  readonly who?: string;
  /** Absent when the connection was reset. */
  readonly status?: number;
}

export interface StateBackend {
  /** Of the state at the default path, for `backend "http"`. */
  readonly address: string;
  readonly lockAddress: string;
  /**
   * The settings of `backend "http"` for a state, without Terraform's own retries, which take seconds. Credentials go by
   * TF_HTTP_USERNAME and TF_HTTP_PASSWORD.
   */
  settings(path?: string): Record<string, string>;
  state(path?: string): StateFile | undefined;
  /** The state as its bytes were sent. */
  rawState(path?: string): string | undefined;
  lock(path?: string): LockInfo | undefined;
  /** All requests so far, in the order of their answers. */
  readonly requests: readonly Request[];
  /** From now on `operation` meets `fault`; with none, it works again. */
  break(operation: Operation, fault?: Fault): void;
  close(): Promise<void>;
}

interface Kept {
  content?: string;
  lock?: LockInfo;
}

const OPERATIONS: Readonly<Record<string, Operation>> = {
  GET: 'read',
  POST: 'write',
  LOCK: 'lock',
  UNLOCK: 'unlock',
  DELETE: 'delete',
};
const DEFAULT_PATH = '/production';

/**
 * A state backend as in https://developer.hashicorp.com/terraform/language/backend/http, with locking, on a free port of
 * 127.0.0.1: a state for each path, kept in this process.
 * @param credentials for basic authentication: none is 401, a wrong one 403
 */
export async function startStateBackend(
  credentials?: Readonly<{ username: string; password: string }>,
): Promise<StateBackend> {
  const states = new Map<string, Kept>();
  const faults = new Map<Operation, Fault>();
  const requests: Request[] = [];
  const keptAt = (path: string): Kept => {
    const kept = states.get(path) ?? {};
    states.set(path, kept);
    return kept;
  };

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { pathname: path, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    const operation = OPERATIONS[request.method ?? ''];
    if (operation === undefined) return answer(response, { status: 405 });
    const fault = faults.get(operation);
    const broken = (): void => {
      requests.push({ operation, path });
      request.socket.destroy();
    };
    if (fault === 'refuse') return broken();
    const body = await text(request);
    if (fault === 'break off') return broken();
    const lock = operation === 'lock' || operation === 'unlock' ? parseLock(body) : undefined;
    const lockId = lock?.ID ?? searchParams.get('ID') ?? undefined;
    const reply =
      denied(request, credentials) ??
      (fault === 'error' ? { status: 500 } : perform(operation, keptAt(path), { body, lock, lockId }));
    const { status } = reply;
    requests.push({
      operation,
      path,
      status,
      ...(lockId !== undefined && { lockId }),
      ...(lock && { who: lock.Who }),
    });
    answer(response, reply);
  };

  // Terraform, or a test that kills it, may be gone in the middle of a request.
  const server = createServer((request, response) => void handle(request, response).catch(() => undefined));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const settings = (path = DEFAULT_PATH): Record<string, string> => ({
    address: `${origin}${path}`,
    lock_address: `${origin}${path}`,
    unlock_address: `${origin}${path}`,
    retry_max: '0',
  });

  return {
    address: `${origin}${DEFAULT_PATH}`,
    lockAddress: `${origin}${DEFAULT_PATH}`,
    settings,
    state(path = DEFAULT_PATH) {
      const content = states.get(path)?.content;
      return content === undefined ? undefined : (JSON.parse(content) as StateFile);
    },
    rawState: (path = DEFAULT_PATH) => states.get(path)?.content,
    lock: (path = DEFAULT_PATH) => states.get(path)?.lock,
    requests,
    break(operation, fault) {
      if (fault === undefined) faults.delete(operation);
      else faults.set(operation, fault);
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Reply {
  readonly status: number;
  readonly body?: string;
}

interface Asked {
  readonly body: string;
  readonly lock: LockInfo | undefined;
  readonly lockId: string | undefined;
}

function perform(operation: Operation, kept: Kept, { body, lock, lockId }: Asked): Reply {
  const held = kept.lock;
  switch (operation) {
    case 'read':
      return kept.content === undefined ? { status: 404 } : { status: 200, body: kept.content };
    case 'lock':
      if (lock === undefined) return { status: 400 };
      if (held) return locked(held);
      kept.lock = lock;
      return { status: 200 };
    case 'unlock':
      // Terraform's `force-unlock` sends no id to this backend: it releases any lock, whatever id it was given.
      if (held && lock && lock.ID !== held.ID) return locked(held);
      delete kept.lock;
      return { status: 200 };
    case 'write':
    case 'delete':
      if (held && lockId !== held.ID) return locked(held);
      if (operation === 'write') kept.content = body;
      else delete kept.content;
      return { status: 200 };
  }
}

const locked = (held: LockInfo): Reply => ({ status: 423, body: JSON.stringify(held) });

function parseLock(body: string): LockInfo | undefined {
  return body === '' ? undefined : (JSON.parse(body) as LockInfo);
}

function denied(
  { headers }: IncomingMessage,
  credentials: Readonly<{ username: string; password: string }> | undefined,
): Reply | undefined {
  if (credentials === undefined) return undefined;
  if (headers.authorization === undefined) return { status: 401 };
  const expected = Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64');
  return headers.authorization === `Basic ${expected}` ? undefined : { status: 403 };
}

function answer(response: ServerResponse, { status, body }: Reply): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(body);
}
