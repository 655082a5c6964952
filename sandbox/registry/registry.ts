import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { Store } from '../store.ts';
import { createRegistryAccess } from './access.ts';
import type { RegistryAccess } from './access.ts';
import { openBlobStore } from './blobs.ts';
import type { BlobStore } from './blobs.ts';
import { openImageStore } from './content.ts';
import type { ImageStore } from './content.ts';
import { createRepositories } from './repositories.ts';
import type { Image, Repositories } from './repositories.ts';
import { handleRegistry } from './routes.ts';

export interface RegistryOptions {
  readonly store: Store;
  readonly stateDir: string;
  readonly accountId: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** The container registry: its HTTP side, and what ECR and the tasks need of it. */
export interface Registry {
  readonly access: RegistryAccess;
  readonly blobs: BlobStore;
  readonly repositories: Repositories;
  readonly images: ImageStore;
  /** Told of every image that comes into a repository. */
  onPush(listener: (image: Image) => void): void;
  /** Requests under this prefix are the registry's. */
  readonly mount: {
    readonly prefix: '/v2/';
    handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
  };
}

/** Opens the registry whose content is under `stateDir`. */
export async function openRegistry({ store, stateDir, accountId, now }: RegistryOptions): Promise<Registry> {
  const directory = join(stateDir, 'registry');
  const listeners: ((image: Image) => void)[] = [];
  const blobs = await openBlobStore(directory);
  const repositories = createRepositories({
    store,
    blobs,
    accountId,
    now,
    onPush: (image) => listeners.forEach((listener) => listener(image)),
  });
  const images = await openImageStore({ directory: join(stateDir, 'images'), blobs, repositories });
  const access = createRegistryAccess(store, now);
  const routes = { access, blobs, repositories, flush: () => store.flush() };
  return {
    access,
    blobs,
    repositories,
    images,
    onPush: (listener) => void listeners.push(listener),
    mount: { prefix: '/v2/', handle: (request, response) => handleRegistry(routes, request, response) },
  };
}
