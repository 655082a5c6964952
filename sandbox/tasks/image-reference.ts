/** An image as a container definition names it. */
export interface ImageReference {
  readonly repository: string;
  /** A tag or `sha256:` digest. */
  readonly reference: string;
}

/**
 * Reads `registry/repository@sha256:...`, `registry/repository:tag`, or either without a registry. The registry's
 * name doesn't matter: every image comes from the sandbox's own registry. A digest wins over a tag.
 */
export function parseImage(image: string): ImageReference {
  const [named = '', digest] = image.split('@', 2);
  const firstSlash = named.indexOf('/');
  const host = firstSlash === -1 ? '' : named.slice(0, firstSlash);
  const path = /[.:]|^localhost$/.test(host) ? named.slice(firstSlash + 1) : named;
  const colon = path.lastIndexOf(':');
  const hasTag = colon > path.lastIndexOf('/');
  const repository = hasTag ? path.slice(0, colon) : path;
  return { repository, reference: digest ?? (hasTag ? path.slice(colon + 1) : 'latest') };
}
