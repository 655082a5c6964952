import grpc from '@grpc/grpc-js';
import type { Calls } from './calls.ts';
import { selfSignedCertificate } from './certificate.ts';
import { listen } from './listen.ts';

/** What Terraform puts in the environment of what it starts as a plugin; the cookie is Terraform's own. */
const MAGIC_COOKIE = 'd602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2';
const PROTOCOL_VERSION = 6;
const ORPHAN_CHECK_MS = 1_000;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Serves a provider to the Terraform or OpenTofu that started this process, until it says that it is done or is gone.
 * @throws Error when this process wasn't started by one of them
 */
export async function serve(calls: Calls, environment: Environment = process.env): Promise<void> {
  checkStarter(environment);
  const { certificate, credentials } = secure(environment);
  const { port, isBusy } = await listen(calls, credentials, (server) =>
    server.tryShutdown(() => process.exit(0)),
  );
  // An interrupt goes to the whole process group; Terraform says itself when to stop.
  process.on('SIGINT', () => undefined);
  endWithParent(() => calls['StopProvider']?.({}), isBusy);
  process.stdout.write(`1|${PROTOCOL_VERSION}|tcp|127.0.0.1:${port}|grpc|${certificate}\n`);
}

function checkStarter(environment: Environment): void {
  if (environment['TF_PLUGIN_MAGIC_COOKIE'] !== MAGIC_COOKIE) {
    throw new Error('This is a Terraform provider: Terraform starts it, not you');
  }
  const versions = environment['PLUGIN_PROTOCOL_VERSIONS']?.split(',') ?? [];
  if (!versions.includes(String(PROTOCOL_VERSION))) {
    throw new Error(
      `This provider speaks protocol 6; this Terraform speaks ${versions.join(', ') || 'none'}`,
    );
  }
}

/** TLS with a certificate of each side, for a Terraform that sent its own (all do, unless told not to). */
function secure(environment: Environment): { certificate: string; credentials: grpc.ServerCredentials } {
  const client = environment['PLUGIN_CLIENT_CERT'];
  if (!client) return { certificate: '', credentials: grpc.ServerCredentials.createInsecure() };
  const { der, pem, privateKey } = selfSignedCertificate(new Date());
  const pair = { private_key: Buffer.from(privateKey), cert_chain: Buffer.from(pem) };
  return {
    certificate: der.toString('base64').replace(/=+$/, ''),
    credentials: grpc.ServerCredentials.createSsl(Buffer.from(client), [pair], true),
  };
}

/**
 * A Terraform that was killed can't say so: when another process is our parent, it is gone. What is under way may then
 * wait for nothing more, and is the last.
 */
function endWithParent(stop: () => unknown, isBusy: () => boolean): void {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid === parent) return;
    stop();
    if (!isBusy()) process.exit(1);
  }, ORPHAN_CHECK_MS).unref();
}
