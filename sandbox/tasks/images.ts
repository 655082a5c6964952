import type { ContainerDefinition } from '@aws-sdk/client-ecs';
import { parseImage } from './image-reference.ts';
import { StartFailure } from './types.ts';

/** What a container needs to know of its image's configuration. */
export interface ImageProcess {
  readonly Entrypoint?: readonly string[] | null;
  readonly Cmd?: readonly string[] | null;
  readonly Env?: readonly string[] | null;
  readonly WorkingDir?: string | null;
}

/** Where images come from: the sandbox's registry. */
export interface ImageSource {
  resolve(
    repository: string,
    reference: string,
  ): Promise<{ readonly digest: string; readonly config: { readonly config?: ImageProcess } } | undefined>;
  /** Extracts an image, once for each digest. @returns the directory of its root file system */
  unpack(digest: string): Promise<string>;
}

/** An image, extracted. */
export interface PulledImage {
  readonly digest: string;
  readonly rootfs: string;
  readonly process: ImageProcess;
}

/** Resolves and extracts a container's image. @throws StartFailure CannotPullContainerError */
export async function pull(images: ImageSource, container: ContainerDefinition): Promise<PulledImage> {
  const name = container.image ?? '';
  const { repository, reference } = parseImage(name);
  const found = await images.resolve(repository, reference);
  if (!found) {
    throw new StartFailure(
      `CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref ${name}: ${name}: not found`,
    );
  }
  try {
    const rootfs = await images.unpack(found.digest);
    return { digest: found.digest, rootfs, process: found.config.config ?? {} };
  } catch (error) {
    throw new StartFailure(
      `CannotPullContainerError: failed to extract layers of ${name}: ${(error as Error).message}`,
    );
  }
}
