import type { AwsError } from './service.ts';

export interface Page<T> {
  readonly items: readonly T[];
  /** Present when there is more. */
  readonly next?: string;
}

/**
 * One page of a list, by a token that says where to go on.
 * @param size items a page, at most
 * @param token what the page before handed out
 * @param invalid makes the error for a token that no page handed out
 */
export function pageOf<T>(
  items: readonly T[],
  size: number,
  token: string | undefined,
  invalid: () => AwsError,
): Page<T> {
  const start = token === undefined ? 0 : offsetIn(token);
  if (start === undefined || start > items.length) throw invalid();
  const end = start + size;
  const found = items.slice(start, end);
  return end < items.length ? { items: found, next: tokenFor(end) } : { items: found };
}

function tokenFor(offset: number): string {
  return Buffer.from(`offset:${offset}`).toString('base64url');
}

function offsetIn(token: string): number | undefined {
  const match = /^offset:(\d+)$/.exec(Buffer.from(token, 'base64url').toString('latin1'));
  return match ? Number(match[1]) : undefined;
}
