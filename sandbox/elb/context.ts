import type { Clock } from '../clock.ts';
import { pageOf } from '../protocol/page.ts';
import { AwsError } from '../protocol/service.ts';
import type { DataPlane } from './plane.ts';
import type { ElbTables } from './records.ts';

/** What the operations work with. */
export interface ElbContext {
  readonly tables: ElbTables;
  readonly plane: DataPlane;
  readonly clock: Clock;
}

const PAGE = 400;

export const invalid = (message: string): AwsError => new AwsError('ValidationError', message);

/** One page by ELB's `Marker` and `PageSize`. */
export function marked<T>(
  items: readonly T[],
  { Marker, PageSize = PAGE }: { Marker?: string | undefined; PageSize?: number | undefined },
): { items: readonly T[]; NextMarker: string | undefined } {
  const page = pageOf(items, PageSize, Marker, () => invalid(`'${Marker}' is not a valid marker`));
  return { items: page.items, NextMarker: page.next };
}

/** A name of a load balancer or target group. @throws AwsError ValidationError */
export function checkName(words: string, name: string): void {
  if (name.length > 32) throw invalid(`${words} name '${name}' cannot be longer than '32' characters`);
  if (!/^[a-zA-Z0-9-]+$/.test(name) || name.startsWith('-') || name.endsWith('-')) {
    throw invalid(
      `${words} name '${name}' can only contain characters that are alphanumeric characters and hyphens(-), and cannot begin or end with a hyphen`,
    );
  }
}
