import { randomInt } from 'node:crypto';
import { AwsError } from '../protocol/service.ts';
import type { RequestContext } from '../protocol/service.ts';
import type { Store } from '../store.ts';

/** Whose secrets: names are unique in an account and region. */
export type Scope = Pick<RequestContext, 'accountId' | 'region'>;

/** A secret's value: one of the two. */
export interface SecretValue {
  readonly text?: string | undefined;
  /** Base 64. */
  readonly binary?: string | undefined;
}

export interface SecretVersion extends SecretValue {
  readonly id: string;
  readonly stages: readonly string[];
  readonly created: string;
}

export interface StoredSecret {
  readonly arn: string;
  readonly name: string;
  readonly description?: string | undefined;
  readonly kmsKeyId?: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
  readonly created: string;
  readonly changed: string;
  /** The day on which the value was last read. */
  readonly accessed?: string | undefined;
  /** Set while deletion is scheduled: when it was asked for, and when it happens. */
  readonly deletion?: { readonly asked: string; readonly due: string } | undefined;
  /** Oldest first. */
  readonly versions: readonly SecretVersion[];
}

export const CURRENT = 'AWSCURRENT';
export const PREVIOUS = 'AWSPREVIOUS';

/** The secrets of all accounts and regions. */
export interface SecretTable {
  /** By name, ARN, or ARN without its random end; also one whose deletion is scheduled. */
  find(scope: Scope, id: string): StoredSecret | undefined;
  list(scope: Scope): StoredSecret[];
  save(secret: StoredSecret): void;
  remove(secret: StoredSecret): void;
}

export function createSecretTable(store: Store, now: () => number): SecretTable {
  const rows = store.table<StoredSecret>('secretsmanager.secrets');
  const due = ({ deletion }: StoredSecret): boolean =>
    deletion !== undefined && Date.parse(deletion.due) <= now();
  const alive = (): StoredSecret[] => {
    for (const secret of rows.values().filter(due)) rows.delete(secret.arn);
    return rows.values();
  };
  return {
    find: (scope, id) =>
      id.startsWith('arn:')
        ? alive().find(({ arn }) => arn === id || arn.slice(0, -RANDOM_END) === id)
        : alive().find(({ arn, name }) => name === id && arn.startsWith(arnPrefix(scope))),
    list: (scope) => alive().filter(({ arn }) => arn.startsWith(arnPrefix(scope))),
    save: (secret) => rows.set(secret.arn, secret),
    remove: (secret) => rows.delete(secret.arn),
  };
}

/** A hyphen and six characters. */
const RANDOM_END = 7;
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

function arnPrefix({ region, accountId }: Scope): string {
  return `arn:aws:secretsmanager:${region}:${accountId}:secret:`;
}

export function newSecretArn(scope: Scope, name: string): string {
  const end = Array.from({ length: RANDOM_END - 1 }, () => LETTERS[randomInt(LETTERS.length)]).join('');
  return `${arnPrefix(scope)}${name}-${end}`;
}

/** The secret, unless its deletion is scheduled. @throws AwsError ResourceNotFoundException, InvalidRequestException */
export function secretOf(table: SecretTable, scope: Scope, id: string): StoredSecret {
  const secret = anySecretOf(table, scope, id);
  if (secret.deletion === undefined) return secret;
  throw new AwsError(
    'InvalidRequestException',
    "You can't perform this operation on the secret because it was marked for deletion.",
  );
}

/** The secret, also when its deletion is scheduled. @throws AwsError ResourceNotFoundException */
export function anySecretOf(table: SecretTable, scope: Scope, id: string): StoredSecret {
  const secret = table.find(scope, id);
  if (secret) return secret;
  throw new AwsError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
}

/** The value of a version, chosen by id, by stage, or the current one. @throws AwsError */
export function versionOf(
  secret: StoredSecret,
  { id, stage }: { id?: string | undefined; stage?: string | undefined },
): SecretVersion {
  const wanted = stage ?? (id === undefined ? CURRENT : undefined);
  const byId = secret.versions.find((version) => version.id === id);
  if (id !== undefined && byId && wanted !== undefined && !byId.stages.includes(wanted)) {
    throw new AwsError(
      'InvalidRequestException',
      'You provided a VersionStage that is not associated to the provided VersionId.',
    );
  }
  const found = id === undefined ? secret.versions.find(({ stages }) => stages.includes(wanted ?? '')) : byId;
  if (found) return found;
  const what = id === undefined ? `staging label: ${wanted}` : `VersionId: ${id}`;
  throw new AwsError(
    'ResourceNotFoundException',
    `Secrets Manager can't find the specified secret value for ${what}`,
  );
}
