import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExampleRelease } from './releases.ts';

/** What of this folder is the releases' repository. */
const FOLDERS = ['deploy', 'services', 'terraform', 'tests'];
/** Hidden files that belong to a release; others are what tools leave behind. */
const HIDDEN = ['.dockerignore', '.terraform.lock.hcl'];
const HERE = import.meta.dirname;

/** A release's files by their path in the repository. */
export type Tree = ReadonlyMap<string, Buffer>;

/**
 * Reads the files of a release.
 * @param basePort the first of the load balancers' ports: an environment's three are next to each other, environments 20 apart
 */
export async function readTree(release: ExampleRelease, basePort: number): Promise<Tree> {
  const layers = [HERE, ...release.overlays.map((overlay) => join(HERE, 'releases', overlay))];
  const files = new Map<string, Buffer>();
  for (const layer of layers) {
    for (const path of await listFiles(layer)) files.set(path, await readFile(join(layer, path)));
  }
  for (const [path, content] of files) {
    if (path.endsWith('.tfvars')) files.set(path, movePorts(content, basePort));
  }
  return files;
}

async function listFiles(layer: string): Promise<string[]> {
  const listed = await readdir(layer, { recursive: true, withFileTypes: true });
  return listed
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(layer.length + 1))
    .filter((path) => FOLDERS.includes(path.split('/')[0] ?? '') && !isLeftBehind(path))
    .toSorted();
}

function isLeftBehind(path: string): boolean {
  const hidden = path.split('/').filter((part) => part.startsWith('.') && !HIDDEN.includes(part));
  return hidden.length > 0 || path.includes('.tfstate');
}

/** The port of the first load balancer in the files of this folder. */
export const BASE_PORT = 8100;

function movePorts(variables: Buffer, basePort: number): Buffer {
  const moved = variables
    .toString('utf8')
    .replaceAll(/^( +[a-z-]+ += )(\d+)$/gm, (_, name: string, port: string) => {
      return `${name}${Number(port) - BASE_PORT + basePort}`;
    });
  return Buffer.from(moved);
}
