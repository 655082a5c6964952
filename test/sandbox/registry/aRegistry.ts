import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openRegistry } from '../../../sandbox/registry/registry.ts';
import type { Registry } from '../../../sandbox/registry/registry.ts';
import { Store } from '../../../sandbox/store.ts';
import { digestOf } from './images.ts';
import type { BuiltImage } from './images.ts';

type Ask = Omit<RequestInit, 'headers'> & { readonly headers?: Readonly<Record<string, string>> };

export interface RegistryServer {
  readonly registry: Registry;
  readonly stateDir: string;
  readonly url: string;
  /** A request with the credentials that ECR hands out. */
  ask(path: string, init?: Ask): Promise<Response>;
  /** Pushes an image; the manifest's answer. */
  push(repository: string, reference: string, image: BuiltImage): Promise<Response>;
  /** Stops, and removes its state unless `keep`. */
  close(options?: { keep?: boolean }): Promise<void>;
}

/** A registry on a free port with the repository `app`, whose tags are immutable, and `base`, whose are not. */
export async function aRegistry(stateDir?: string): Promise<RegistryServer> {
  const directory = stateDir ?? (await mkdtemp(join(tmpdir(), 'registry-')));
  const store = await Store.open(directory);
  const registry = await openRegistry({
    store,
    stateDir: directory,
    accountId: '123456789012',
    now: Date.now,
  });
  if (registry.repositories.find('app') === undefined) {
    registry.repositories.create({ name: 'app', immutableTags: true, scanOnPush: false, tags: {} });
    registry.repositories.create({ name: 'base', immutableTags: false, scanOnPush: false, tags: {} });
  }
  const server = createServer((request, response) => void registry.mount.handle(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const token = Buffer.from(`AWS:${registry.access.issue().password}`).toString('base64');
  const ask = (path: string, init: Ask = {}): Promise<Response> =>
    fetch(`${url}${path}`, { ...init, headers: { ...init.headers, authorization: `Basic ${token}` } });
  return {
    registry,
    stateDir: directory,
    url,
    ask,
    async push(repository, reference, image) {
      for (const blob of image.blobs) {
        await ask(`/v2/${repository}/blobs/uploads/?digest=${digestOf(blob)}`, {
          method: 'POST',
          body: blob,
        });
      }
      return ask(`/v2/${repository}/manifests/${reference}`, { method: 'PUT', body: image.manifest });
    },
    async close({ keep = false } = {}) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await store.close();
      if (!keep) await rm(directory, { recursive: true, force: true });
    },
  };
}
