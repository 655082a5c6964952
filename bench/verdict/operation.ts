import type { IncomingHttpHeaders } from 'node:http';

/**
 * The AWS operation that a request asks for, in any of AWS's protocols: JSON names it in a header, RPC v2 CBOR in the path,
 * Query in the body's `Action`.
 */
export function operationOf(path: string, headers: IncomingHttpHeaders, body: string): string {
  const target = headers['x-amz-target'];
  if (typeof target === 'string') return target.slice(target.lastIndexOf('.') + 1);
  const [, inPath] = /\/operation\/(\w+)$/.exec(path) ?? [];
  if (inPath !== undefined) return inPath;
  return new URLSearchParams(body).get('Action') ?? `${path} without an operation`;
}
