import grpc from '@grpc/grpc-js';
import protobuf from 'protobufjs';
import { readFileSync } from 'node:fs';
import type { Calls, CallRequest } from './calls.ts';
import { selfSignedCertificate } from './certificate.ts';

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
  const server = new grpc.Server({
    'grpc.max_receive_message_length': -1,
    'grpc.max_send_message_length': -1,
  });
  const provider = describe('provider.proto', 'tfplugin6.Provider');
  const controller = describe('controller.proto', 'plugin.GRPCController');
  let underWay = 0;
  const counted = async (name: string, request: CallRequest): Promise<object> => {
    underWay += 1;
    try {
      return (await calls[name]?.(request)) ?? {};
    } finally {
      underWay -= 1;
    }
  };
  server.addService(
    provider,
    Object.fromEntries(Object.keys(calls).map((name) => [name, unary((request) => counted(name, request))])),
  );
  server.addService(controller, {
    Shutdown: unary(async () => {
      // After the answer is out.
      setImmediate(() => server.tryShutdown(() => process.exit(0)));
      return {};
    }),
  });

  const { certificate, credentials } = secure(environment);
  const port = await bind(server, credentials);
  // An interrupt goes to the whole process group; Terraform says itself when to stop.
  process.on('SIGINT', () => undefined);
  endWithParent(
    () => calls['StopProvider']?.({}),
    () => underWay > 0,
  );
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

function bind(server: grpc.Server, credentials: grpc.ServerCredentials): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', credentials, (error, port) => (error ? reject(error) : resolve(port)));
  });
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

function unary(handle: (request: CallRequest) => Promise<object>): grpc.handleUnaryCall<CallRequest, object> {
  const answer = async (request: CallRequest, callback: grpc.sendUnaryData<object>): Promise<void> => {
    try {
      callback(null, await handle(request));
    } catch (error) {
      callback({ code: grpc.status.INTERNAL, details: String(error) });
    }
  };
  return (call, callback) => void answer(call.request, callback);
}

function describe(file: string, name: string): grpc.ServiceDefinition {
  const { root } = protobuf.parse(readFileSync(new URL(file, import.meta.url), 'utf8'));
  const service = root.lookupService(name);
  return Object.fromEntries(
    service.methodsArray.map((method) => {
      const request = service.lookupType(method.requestType);
      const response = service.lookupType(method.responseType);
      const definition: grpc.MethodDefinition<object, object> = {
        path: `/${name}/${method.name}`,
        requestStream: false,
        responseStream: false,
        requestSerialize: (value) => Buffer.from(request.encode(request.fromObject(value)).finish()),
        requestDeserialize: (bytes) => request.decode(bytes),
        responseSerialize: (value) => Buffer.from(response.encode(response.fromObject(value)).finish()),
        responseDeserialize: (bytes) => response.decode(bytes),
      };
      return [method.name, definition];
    }),
  );
}
