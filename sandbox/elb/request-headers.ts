import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { endToEnd } from './forward.ts';

/** Which headers a load balancer adds, by its attributes. */
export interface ForwardedOptions {
  readonly listenerPort: number;
  /** `append`, `preserve` or `remove`: what becomes of X-Forwarded-For. */
  readonly xff: string;
  /** Whether X-Forwarded-For tells the client's port too. */
  readonly clientPort: boolean;
}

/** What the target is sent: the client's end-to-end headers, with X-Forwarded-* and the trace id. */
export function headersForTarget(request: IncomingMessage, options: ForwardedOptions): string[] {
  const kept = without(endToEnd(request.rawHeaders), [
    'x-forwarded-proto',
    'x-forwarded-port',
    ...(options.xff === 'preserve' ? [] : ['x-forwarded-for']),
  ]);
  const trace = request.headers['x-amzn-trace-id'] === undefined ? ['X-Amzn-Trace-Id', newTraceId()] : [];
  return [
    ...kept,
    ...forwardedFor(request, options),
    'X-Forwarded-Proto',
    'http',
    'X-Forwarded-Port',
    String(options.listenerPort),
    ...trace,
  ];
}

function forwardedFor(request: IncomingMessage, { xff, clientPort }: ForwardedOptions): string[] {
  if (xff !== 'append') return [];
  const { remoteAddress = '', remotePort } = request.socket;
  const before = request.headers['x-forwarded-for'];
  const client = clientPort ? `${remoteAddress}:${remotePort}` : remoteAddress;
  return ['X-Forwarded-For', [before, client].flat().filter(Boolean).join(', ')];
}

function without(headers: readonly string[], names: readonly string[]): string[] {
  return headers.filter((_, i) => !names.includes((headers[i - (i % 2)] ?? '').toLowerCase()));
}

function newTraceId(): string {
  const seconds = Math.floor(Date.now() / 1000).toString(16);
  return `Root=1-${seconds}-${randomBytes(12).toString('hex')}`;
}
