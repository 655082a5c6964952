import { createHash } from 'node:crypto';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** How a configuration names the provider: `source = "sandbox.local/rehearsal/aws"`. */
const PROVIDER_SOURCE = 'sandbox.local/rehearsal/aws';
const PROVIDER_VERSION = '1.0.0';

const EXECUTABLE = `terraform-provider-aws_v${PROVIDER_VERSION}`;

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
 * Installs the provider for Terraform and OpenTofu, by their own CLI configuration.
 * @param directory where to; may be one where it is installed already
 * @param node the Node executable that runs it
 */
export async function installProvider(options: {
  directory: string;
  node?: string;
}): Promise<InstalledProvider> {
  const directory = resolve(options.directory);
  const mirror = join(directory, 'mirror');
  const packageDirectory = join(mirror, PROVIDER_SOURCE, PROVIDER_VERSION, platform());
  await mkdir(packageDirectory, { recursive: true });
  await place(join(packageDirectory, EXECUTABLE), WRAPPER, 0o755);
  await place(join(directory, 'launch'), launcher(options.node ?? process.execPath), 0o755);
  const cliConfigFile = join(directory, 'terraform.rc');
  await place(cliConfigFile, cliConfiguration(mirror), 0o644);
  return { cliConfigFile };
}

/** The lock file (`.terraform.lock.hcl`) of a configuration that needs this provider alone. */
export function lockFile(): string {
  return `provider "${PROVIDER_SOURCE}" {
  version     = "${PROVIDER_VERSION}"
  constraints = "${PROVIDER_VERSION}"
  hashes = [
    "${packageHash()}",
  ]
}
`;
}

/** The package's hash in Terraform's `h1` scheme: SHA-256 over a line for each file, its hash and name. */
function packageHash(): string {
  const file = createHash('sha256').update(WRAPPER).digest('hex');
  return `h1:${createHash('sha256').update(`${file}  ${EXECUTABLE}\n`).digest('base64')}`;
}

function launcher(node: string): string {
  const here = dirname(fileURLToPath(import.meta.url));
  const main = join(here, 'main.ts');
  // Terraform starts the provider several times a command: the compiled code is kept, once for all installations.
  const compiled = join(here, '../../.tools/compile-cache');
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
