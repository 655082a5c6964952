import { createHash } from 'node:crypto';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';

/** A program that serves a provider. */
export interface ProviderPackage {
  /** How a configuration names it: `sandbox.local/NAMESPACE/TYPE`. */
  readonly source: string;
  readonly version: string;
  /** The module that Node starts. */
  readonly main: string;
}

/** The sandbox's own. */
const AWS: ProviderPackage = {
  source: 'sandbox.local/rehearsal/aws',
  version: '1.0.0',
  main: join(import.meta.dirname, 'main.ts'),
};

/**
 * What Terraform starts. The same bytes on every machine, so that a lock file with its hash holds everywhere: where
 * Node and this checkout are is in `launch`, beside the mirror.
 */
const WRAPPER = `#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
exec "$here/../../../../../../launch" "$@"
`;

export interface InstalledProvider {
  /** For TF_CLI_CONFIG_FILE: Terraform then takes the provider from here, all others from their registries. */
  readonly cliConfigFile: string;
}

/**
 * Installs a provider for Terraform and OpenTofu, by their own CLI configuration.
 * @param directory where to; may be one where the same provider is installed already
 * @param node the Node executable that runs it
 * @param provider the sandbox's own by default
 */
export async function installProvider(options: {
  directory: string;
  node?: string;
  provider?: ProviderPackage;
}): Promise<InstalledProvider> {
  const { node = process.execPath, provider = AWS } = options;
  const directory = resolve(options.directory);
  const mirror = join(directory, 'mirror');
  const packageDirectory = join(mirror, provider.source, provider.version, platform());
  await mkdir(packageDirectory, { recursive: true });
  await place(join(packageDirectory, executable(provider)), WRAPPER, 0o755);
  await place(join(directory, 'launch'), launcher(node, provider.main), 0o755);
  const cliConfigFile = join(directory, 'terraform.rc');
  await place(cliConfigFile, cliConfiguration(mirror), 0o644);
  return { cliConfigFile };
}

/** The lock file (`.terraform.lock.hcl`) of a configuration that needs this provider alone. */
export function lockFile(provider: ProviderPackage = AWS): string {
  const { source, version } = provider;
  return `provider "${source}" {
  version     = "${version}"
  constraints = "${version}"
  hashes = [
    "${packageHash(provider)}",
  ]
}
`;
}

/** The package's hash in Terraform's `h1` scheme: SHA-256 over a line for each file, its hash and name. */
function packageHash(provider: ProviderPackage): string {
  const file = createHash('sha256').update(WRAPPER).digest('hex');
  return `h1:${createHash('sha256')
    .update(`${file}  ${executable(provider)}\n`)
    .digest('base64')}`;
}

function executable({ source, version }: ProviderPackage): string {
  return `terraform-provider-${basename(source)}_v${version}`;
}

function launcher(node: string, main: string): string {
  // Terraform starts the provider several times a command: the compiled code is kept, once for all installations.
  const compiled = join(import.meta.dirname, '../../.tools/compile-cache');
  return `#!/bin/sh
NODE_COMPILE_CACHE=${quote(compiled)}
export NODE_COMPILE_CACHE
exec ${quote(node)} --disable-warning=ExperimentalWarning ${quote(main)} "$@"
`;
}

function cliConfiguration(mirror: string): string {
  const ours = '"sandbox.local/*/*"';
  return `disable_checkpoint = true

provider_installation {
  filesystem_mirror {
    path    = ${JSON.stringify(mirror)}
    include = [${ours}]
  }
  direct {
    exclude = [${ours}]
  }
}
`;
}

const quote = (path: string): string => `'${path.replaceAll("'", String.raw`'\''`)}'`;

/** Terraform's name for this machine. */
function platform(): string {
  return `${process.platform}_${process.arch === 'x64' ? 'amd64' : process.arch}`;
}

/** A Terraform that reads the file meanwhile sees the old one or the new one, whole. */
async function place(path: string, content: string, mode: number): Promise<void> {
  const temporary = `${path}.${process.pid}`;
  await writeFile(temporary, content, { mode });
  await rename(temporary, path);
}

if (process.argv[1] === import.meta.filename) {
  const [directory = '.terraform-provider'] = process.argv.slice(2);
  const { cliConfigFile } = await installProvider({ directory });
  process.stdout.write(`export TF_CLI_CONFIG_FILE=${quote(cliConfigFile)}\n`);
}
