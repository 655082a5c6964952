import { EventEmitter } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/**
 * `before`: it is refused; `after`: it is made and never gets ready; `unanswered`: it is made, and the connection is cut
 * before that is told; '': it does not fail.
 */
export type Failure = '' | 'before' | 'after' | 'unanswered';

/** What `trial_object` asks for. */
export interface Wish {
  readonly name: string;
  /** Milliseconds from its creation to when it is ready. */
  readonly delay_ms: number;
  readonly fail: Failure;
  readonly value: string;
}

export interface TrialObject extends Wish {
  readonly id: string;
}

/** `began`: it exists, and Terraform waits for it to be ready; `ready`: Terraform has been told so. */
export interface TrialEvent {
  readonly kind: 'began' | 'ready' | 'changed' | 'deleted';
  readonly id: string;
  readonly name: string;
}

/**
 * A service whose objects `trial_object` manages, as AWS would keep them: ids are made here, a second creation of a name
 * makes a second object, and one that Terraform forgot about stays.
 */
export interface TrialServer {
  readonly address: string;
  objects(): readonly TrialObject[];
  /** How often an object of each name was created, ever. */
  created(): Readonly<Record<string, number>>;
  /** All that happened so far. */
  readonly events: readonly TrialEvent[];
  /** @returns when, counted over all that ever happens, the `count`-th of a kind has happened */
  after(kind: TrialEvent['kind'], count: number): Promise<void>;
  /** As `after`; and from that instant no further object gets ready until the server is told to `goOn`. */
  stopAfter(kind: TrialEvent['kind'], count: number): Promise<void>;
  goOn(): void;
  /** Objects of this name are not ready before they are let go. */
  hold(name: string): void;
  letGo(name: string): void;
  /** Objects of this name fail from now on, whatever their configuration says; with '' they do no more. */
  fail(name: string, how: Failure): void;
  /** By hand, behind Terraform's back. */
  change(id: string, value: string): void;
  remove(id: string): void;
  close(): Promise<void>;
}

interface Reply {
  /** 0: the connection is cut instead. */
  readonly status: number;
  readonly body?: unknown;
}

/** Starts it on a free port of 127.0.0.1, empty. */
export async function startTrialServer(): Promise<TrialServer> {
  const objects = new Map<string, TrialObject>();
  const readyAt = new Map<string, number>();
  const held = new Set<string>();
  let stop: { readonly kind: TrialEvent['kind']; readonly count: number } | undefined;
  const has = (kind: TrialEvent['kind'], count: number): boolean =>
    events.filter((event) => event.kind === kind).length >= count;
  const stopped = (): boolean => stop !== undefined && has(stop.kind, stop.count);
  const failures = new Map<string, Failure>();
  const failureOf = ({ name, fail }: Wish): Failure => failures.get(name) ?? fail;
  const events: TrialEvent[] = [];
  const happened = new EventEmitter().setMaxListeners(0);
  const note = (kind: TrialEvent['kind'], { id, name }: TrialObject): void => {
    events.push({ kind, id, name });
    happened.emit('any');
  };
  const until = (reached: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (!reached()) return;
        happened.off('any', look);
        resolve();
      };
      happened.on('any', look);
      look();
    });

  const create = (wish: Wish): Reply => {
    if (failureOf(wish) === 'before')
      return { status: 422, body: { error: `${wish.name} with the value ${wish.value} is refused` } };
    const object = { ...wish, id: `${wish.name}-${events.length}` };
    objects.set(object.id, object);
    readyAt.set(object.id, Date.now() + wish.delay_ms);
    note('began', object);
    return failureOf(wish) === 'unanswered' ? { status: 0 } : { status: 201, body: object };
  };

  const ready = async (object: TrialObject): Promise<Reply> => {
    if (failureOf(object) === 'after')
      return {
        status: 422,
        body: { error: `${object.name} with the value ${object.value} never gets ready` },
      };
    const wait = Math.max(0, (readyAt.get(object.id) ?? 0) - Date.now());
    await new Promise((resolve) => setTimeout(resolve, wait));
    await until(() => !held.has(object.name) && !stopped());
    note('ready', object);
    return { status: 200 };
  };

  const change = (object: TrialObject, value: string): Reply => {
    const changed = { ...object, value };
    objects.set(object.id, changed);
    note('changed', changed);
    return { status: 200 };
  };

  const remove = (object: TrialObject): Reply => {
    objects.delete(object.id);
    note('deleted', object);
    return { status: 204 };
  };

  const perform = async (method: string, path: string, body: string): Promise<Reply> => {
    if (method === 'POST' && path === '/') return create(JSON.parse(body) as Wish);
    const [, id = '', wanted] = path.split('/');
    const object = objects.get(id);
    if (object === undefined) return { status: 404 };
    switch (method) {
      case 'GET':
        return wanted === 'ready' ? ready(object) : { status: 200, body: object };
      case 'PUT':
        return change(object, (JSON.parse(body) as Wish).value);
      case 'DELETE':
        return remove(object);
      default:
        return { status: 405 };
    }
  };

  const server = createServer(
    (request: IncomingMessage, response) =>
      void text(request)
        .then((body) => perform(request.method ?? '', request.url ?? '', body))
        .then(({ status, body }) => {
          if (status === 0) request.socket.destroy();
          else response.writeHead(status).end(body === undefined ? '' : JSON.stringify(body));
        })
        // Terraform, or a test that kills it, may be gone in the middle of a request.
        .catch(() => undefined),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const known = (id: string): TrialObject => {
    const object = objects.get(id);
    if (object === undefined) throw new Error(`There is no object ${id}`);
    return object;
  };

  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    objects: () => [...objects.values()],
    created() {
      const names = events.filter(({ kind }) => kind === 'began').map(({ name }) => name);
      return Object.fromEntries(names.map((name) => [name, names.filter((other) => other === name).length]));
    },
    events,
    after: (kind, count) => until(() => has(kind, count)),
    stopAfter(kind, count) {
      stop = { kind, count };
      return until(() => has(kind, count));
    },
    goOn() {
      stop = undefined;
      happened.emit('any');
    },
    hold: (name) => void held.add(name),
    letGo(name) {
      held.delete(name);
      happened.emit('any');
    },
    fail: (name, how) => void failures.set(name, how),
    change: (id, value) => void change(known(id), value),
    remove: (id) => void remove(known(id)),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
