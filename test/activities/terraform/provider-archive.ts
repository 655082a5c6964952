import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

/** A provider as registries have it: an archive, which Terraform unpacks when it installs it. */
export interface ProviderArchive {
  /** For TF_CLI_CONFIG_FILE. */
  readonly cliConfigFile: string;
  /** What a configuration begins with that uses it. */
  readonly header: string;
  readonly lockFile: string;
  readonly mirror: string;
}

const VERSION = '1.0.0';
const PLATFORM = `${process.platform}_${process.arch === 'x64' ? 'amd64' : process.arch}`;

/** @param launch the program that serves the provider `sandbox.local/NAMESPACE/TYPE` */
export async function archiveProvider(
  directory: string,
  namespace: string,
  type: string,
  launch: string,
): Promise<ProviderArchive> {
  const source = `sandbox.local/${namespace}/${type}`;
  const mirror = join(directory, 'archives');
  await mkdir(join(mirror, source), { recursive: true });
  const program = `#!/bin/sh\nexec '${launch}' "$@"\n`;
  const executable = `terraform-provider-${type}_v${VERSION}`;
  const archive = zip(executable, Buffer.from(program));
  const name = `terraform-provider-${type}_${VERSION}_${PLATFORM}.zip`;
  await writeFile(join(mirror, source, name), archive);
  const cliConfigFile = join(directory, 'archives.rc');
  await writeFile(
    cliConfigFile,
    `provider_installation {\n  filesystem_mirror {\n    path = ${JSON.stringify(mirror)}\n  }\n}\n`,
  );
  // Terraform's h1: over a line for each file, its hash and its name.
  const listed = `${sha256(program).toString('hex')}  ${executable}\n`;
  const hashes = [`h1:${sha256(listed).toString('base64')}`, `zh:${sha256(archive).toString('hex')}`];
  return {
    cliConfigFile,
    mirror,
    header: `terraform {\n  required_providers {\n    ${type} = {\n      source  = "${source}"\n      version = "${VERSION}"\n    }\n  }\n}\n`,
    lockFile: `provider "${source}" {\n  version     = "${VERSION}"\n  constraints = "${VERSION}"\n  hashes = ${JSON.stringify(hashes)}\n}\n`,
  };
}

const sha256 = (content: string | Buffer): Buffer => createHash('sha256').update(content).digest();

/** An archive of one program, not compressed (APPNOTE.TXT 4.3). */
function zip(name: string, content: Buffer): Buffer {
  const common = Buffer.alloc(26);
  common.writeUInt16LE(20, 0);
  common.writeUInt32LE(crc32(content), 10);
  common.writeUInt32LE(content.length, 14);
  common.writeUInt32LE(content.length, 18);
  common.writeUInt16LE(name.length, 22);
  const local = Buffer.concat([Buffer.from('PK\u0003\u0004'), common, Buffer.from(name), content]);

  const made = Buffer.from([20, 3]);
  const attributes = Buffer.alloc(14);
  attributes.writeUInt32LE(0o100755 * 2 ** 16, 6);
  const central = Buffer.concat([Buffer.from('PK\u0001\u0002'), made, common, attributes, Buffer.from(name)]);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(1, 4);
  end.writeUInt16LE(1, 6);
  end.writeUInt32LE(central.length, 8);
  end.writeUInt32LE(local.length, 12);
  return Buffer.concat([local, central, Buffer.from('PK\u0005\u0006'), end]);
}
