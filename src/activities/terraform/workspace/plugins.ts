import { access, lstat, mkdir, readFile, readdir, rename, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** HOST/NAMESPACE/TYPE/VERSION/PLATFORM, as Terraform lays packages out. */
const DEPTH = 5;

/**
 * Providers that earlier operations downloaded, in the layout of a mirror. A package is put there whole, by a rename,
 * and never written to again; so running a provider out of it, and any number of `init`s, need no lock. Terraform's own
 * plugin cache is not safe like that: where a lock file has no hash of the unpacked package for this platform, each
 * `init` unpacks it again, into the file that another run may be about to start.
 */
export interface PluginStore {
  /** For `init -plugin-dir`. */
  readonly directory: string;
  /** Whether it has all that a configuration's lock file names. */
  has(configuration: string): Promise<boolean>;
  /** Takes what an operation downloaded into its private plugin cache, which then links to the store. */
  takeIn(pluginCache: string): Promise<void>;
}

export function createPluginStore(directory: string): PluginStore {
  return {
    directory,
    async has(configuration) {
      const locked = await lockedProviders(configuration);
      const there = await Promise.all(locked.map((path) => exists(join(directory, path, platform()))));
      return locked.length > 0 && there.every(Boolean);
    },
    async takeIn(pluginCache) {
      for (const path of await packagesIn(pluginCache)) await take(pluginCache, directory, path);
    },
  };
}

/** Moves one package. One that another operation was quicker with stays where it is. */
async function take(pluginCache: string, store: string, path: string): Promise<void> {
  const [from, to] = [join(pluginCache, path), join(store, path)];
  if (await exists(to)) return;
  await mkdir(dirname(to), { recursive: true, mode: 0o700 });
  const moved = await rename(from, to).then(
    () => true,
    () => false,
  );
  if (moved) await symlink(to, from);
}

/** Paths of the packages that were unpacked there; what is a link was taken from a mirror, and stays there. */
async function packagesIn(pluginCache: string): Promise<string[]> {
  let paths = [''];
  for (let depth = 0; depth < DEPTH; depth += 1) {
    const found = await Promise.all(
      paths.map(async (path) => {
        const names = await readdir(join(pluginCache, path)).catch(() => []);
        return names.map((name) => join(path, name));
      }),
    );
    paths = found.flat();
  }
  const kinds = await Promise.all(paths.map((path) => lstat(join(pluginCache, path))));
  return paths.filter((_, index) => kinds[index]?.isDirectory());
}

/** HOST/NAMESPACE/TYPE/VERSION of each provider that `.terraform.lock.hcl` selects. */
async function lockedProviders(configuration: string): Promise<string[]> {
  const text = await readFile(join(configuration, '.terraform.lock.hcl'), 'utf8').catch(() => '');
  const blocks = text.matchAll(/^provider\s+"([\w.:/-]+)"\s*\{[^}]*?^\s*version\s*=\s*"([\w.+-]+)"/gm);
  return [...blocks].flatMap(([, source, version]) =>
    source === undefined || version === undefined || source.includes('..') ? [] : [`${source}/${version}`],
  );
}

/** As Terraform names this machine. */
function platform(): string {
  const arch = { x64: 'amd64', ia32: '386' }[process.arch as string] ?? process.arch;
  return `${process.platform}_${arch}`;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
