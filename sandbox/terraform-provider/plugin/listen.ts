import grpc from '@grpc/grpc-js';
import protobuf from 'protobufjs';
import { readFileSync } from 'node:fs';
import type { CallRequest, Calls } from './calls.ts';

/** A provider that answers Terraform's calls. */
export interface Listening {
  /** On 127.0.0.1. */
  readonly port: number;
  /** Whether a call waits for its answer. */
  readonly isBusy: () => boolean;
  /** Lets go of the port and of all connections. */
  readonly close: () => void;
}

/**
 * Answers the calls of protocol 6 on a free port.
 * @param onShutdown what Terraform's own request to end does, once it is answered
 */
export async function listen(
  calls: Calls,
  credentials: grpc.ServerCredentials,
  onShutdown: (server: grpc.Server) => void = () => undefined,
): Promise<Listening> {
  const server = new grpc.Server({
    'grpc.max_receive_message_length': -1,
    'grpc.max_send_message_length': -1,
  });
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
    describe('provider.proto', 'tfplugin6.Provider'),
    Object.fromEntries(Object.keys(calls).map((name) => [name, unary((request) => counted(name, request))])),
  );
  server.addService(describe('controller.proto', 'plugin.GRPCController'), {
    Shutdown: unary(async () => {
      // After the answer is out.
      setImmediate(() => onShutdown(server));
      return {};
    }),
  });
  const port = await bind(server, credentials);
  return { port, isBusy: () => underWay > 0, close: () => server.forceShutdown() };
}

function bind(server: grpc.Server, credentials: grpc.ServerCredentials): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', credentials, (error, port) => (error ? reject(error) : resolve(port)));
  });
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
