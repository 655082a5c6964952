import { Encoder } from 'cbor-x';
import { decode } from './decode.ts';
import { encode, jsonNotation } from './encode.ts';
import type { Notation } from './encode.ts';
import { errorTraits } from './model.ts';
import type { OperationModel, ServiceModel } from './model.ts';
import { decodeQuery } from './query.ts';
import type { Route } from './route.ts';
import { AwsError } from './service.ts';
import type { RequestContext } from './service.ts';
import { validate } from './validate.ts';
import { content, escapeXml } from './xml.ts';

/** An answer, ready to be written. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

const cbor = new Encoder({ useRecords: false, mapsAsObjects: true, tagUint8Array: false });
const cborNotation: Notation = { timestamp: (value) => value, blob: (value) => value };

/** A call of an operation as the client meant it: its input is parsed, and not yet checked. */
export interface Call {
  readonly model: ServiceModel;
  /** The operation's name, such as `UpdateService`. */
  readonly operation: string;
  readonly input: unknown;
}

/** A call, and what it takes to answer it. */
export interface ReadyCall extends Call {
  /** Checks the input, runs the operation and writes its output. @throws AwsError */
  act(request: RequestContext): Promise<Answer>;
}

/** Parses the input of the operation that the route leads to. @throws AwsError */
export function readCall(route: Route, body: Buffer): ReadyCall {
  const { model, definition } = route.service;
  const operation = model.operations[route.operation];
  const run = definition.operations[route.operation];
  if (!operation || !run) throw unknownOperation(route);
  const input = operation.input ? readInput(route, operation.input.shape, body) : {};
  return {
    model,
    operation: operation.name,
    input,
    async act(request) {
      if (operation.input) validate(model, operation.input.shape, input);
      const output = await run(input as never, request);
      return writeOutput(route, model, operation, output ?? {}, request);
    },
  };
}

function unknownOperation(route: Route): AwsError {
  const code = route.protocol === 'query' ? 'InvalidAction' : 'UnknownOperationException';
  return new AwsError(
    code,
    `${route.service.model.metadata.serviceId} has no operation ${route.operation} here`,
  );
}

function readInput(route: Route, shape: string, body: Buffer): unknown {
  const { model } = route.service;
  if (route.protocol === 'query') return decodeQuery(model, shape, route.fields);
  return decode(model, shape, body.length === 0 ? {} : parse(route.protocol, body));
}

function parse(protocol: 'json' | 'cbor', body: Buffer): unknown {
  try {
    return protocol === 'json' ? JSON.parse(body.toString('utf8')) : cbor.decode(body);
  } catch (error) {
    throw new AwsError('SerializationException', `The body is not ${protocol}: ${(error as Error).message}`);
  }
}

function writeOutput(
  route: Route,
  model: ServiceModel,
  operation: OperationModel,
  output: unknown,
  request: RequestContext,
): Answer {
  const shape = operation.output?.shape;
  switch (route.protocol) {
    case 'json': {
      const body = shape ? encode(model, shape, output, jsonNotation) : {};
      return { status: 200, headers: jsonHeaders(route.version), body: JSON.stringify(body, nonFinite) };
    }
    case 'cbor': {
      const body = shape ? encode(model, shape, output, cborNotation) : {};
      return { status: 200, headers: CBOR_HEADERS, body: cbor.encode(body) };
    }
    case 'query': {
      const wrapper = operation.output?.resultWrapper ?? `${operation.name}Result`;
      const result = shape ? `<${wrapper}>${content(model, shape, output)}</${wrapper}>` : '';
      const metadata = `<ResponseMetadata><RequestId>${request.requestId}</RequestId></ResponseMetadata>`;
      const open = `<${operation.name}Response xmlns="${model.metadata.xmlNamespace ?? ''}">`;
      return {
        status: 200,
        headers: XML_HEADERS,
        body: `${open}${result}${metadata}</${operation.name}Response>`,
      };
    }
  }
}

/** Writes an error in the protocol of the request; JSON when the request could not be routed. */
export function answerError(route: Route | undefined, error: unknown, requestId: string): Answer {
  const known = error instanceof AwsError ? error : internal(error);
  const traits = route
    ? errorTraits(route.service.model, known.code)
    : { wireCode: known.code, status: 400, sender: true };
  const status = known.status ?? traits.status;
  const type = traits.sender ? 'Sender' : 'Receiver';
  if (route?.protocol === 'query') {
    const fault = `<Type>${type}</Type><Code>${traits.wireCode}</Code><Message>${escapeXml(known.message)}</Message>`;
    const namespace = route.service.model.metadata.xmlNamespace ?? '';
    const body = `<ErrorResponse xmlns="${namespace}"><Error>${fault}</Error><RequestId>${requestId}</RequestId></ErrorResponse>`;
    return { status, headers: XML_HEADERS, body };
  }
  const queryError: Record<string, string> = route?.service.model.metadata.awsQueryCompatible
    ? { 'x-amzn-query-error': `${traits.wireCode};${type}` }
    : {};
  const body = { __type: known.code, message: known.message, ...known.fields };
  if (route?.protocol === 'cbor')
    return { status, headers: { ...CBOR_HEADERS, ...queryError }, body: cbor.encode(body) };
  const version = route?.protocol === 'json' ? route.version : '1.1';
  return { status, headers: { ...jsonHeaders(version), ...queryError }, body: JSON.stringify(body) };
}

function internal(error: unknown): AwsError {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return new AwsError('InternalFailure', `The sandbox failed: ${text}`, { status: 500 });
}

const XML_HEADERS = { 'content-type': 'text/xml' };
const CBOR_HEADERS = { 'content-type': 'application/cbor', 'smithy-protocol': 'rpc-v2-cbor' };

function jsonHeaders(version: string): Record<string, string> {
  return { 'content-type': `application/x-amz-json-${version}` };
}

/** JSON has no notation for these: the protocol sends them as strings. */
function nonFinite(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
}
