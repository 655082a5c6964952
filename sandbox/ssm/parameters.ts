import type { ParameterTier, ParameterType } from '@aws-sdk/client-ssm';
import type { RequestContext } from '../protocol/service.ts';
import type { Store } from '../store.ts';
import { parameterArn } from './names.ts';
import type { Reference } from './names.ts';
import { createSeal } from './seal.ts';

/** Whose parameters: names are unique in an account and region. */
export type Scope = Pick<RequestContext, 'accountId' | 'region'>;

export interface ParameterVersion {
  readonly version: number;
  readonly type: ParameterType;
  /** Sealed when the type is SecureString. */
  readonly value: string;
  readonly tier: Exclude<ParameterTier, 'Intelligent-Tiering'>;
  readonly dataType: string;
  readonly keyId?: string | undefined;
  readonly description?: string | undefined;
  readonly allowedPattern?: string | undefined;
  readonly labels: readonly string[];
  readonly modified: string;
  readonly modifiedBy: string;
}

export interface StoredParameter extends Scope {
  readonly name: string;
  /** Oldest first; never empty. */
  readonly versions: readonly ParameterVersion[];
  readonly tags: Readonly<Record<string, string>>;
}

/** The parameters of all accounts and regions. */
export interface ParameterTable {
  find(scope: Scope, reference: Reference): StoredParameter | undefined;
  /** In the order of their names. */
  list(scope: Scope): StoredParameter[];
  save(parameter: StoredParameter): void;
  remove(parameter: StoredParameter): void;
  seal(parameter: Scope & { name: string }, keyId: string, value: string): string;
  /** The value as it was put; `encrypted` leaves a SecureString sealed. */
  valueOf(parameter: StoredParameter, version: ParameterVersion, encrypted?: boolean): string;
}

export function createParameterTable(store: Store): ParameterTable {
  const rows = store.table<StoredParameter>('ssm.parameters');
  const seal = createSeal(store);
  const key = (scope: Scope, name: string): string => `${scope.accountId}/${scope.region}:${name}`;
  const arnOf = (parameter: Scope & { name: string }): string => parameterArn(parameter, parameter.name);
  return {
    find: (scope, { name, otherName }) =>
      rows.get(key(scope, name)) ?? (otherName === undefined ? undefined : rows.get(key(scope, otherName))),
    list: (scope) =>
      rows
        .values()
        .filter(({ accountId, region }) => accountId === scope.accountId && region === scope.region)
        .toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    save: (parameter) => rows.set(key(parameter, parameter.name), parameter),
    remove: (parameter) => rows.delete(key(parameter, parameter.name)),
    seal: (parameter, keyId, value) => seal.seal(keyId, arnOf(parameter), value),
    valueOf: (parameter, { keyId, value }, encrypted = false) =>
      keyId === undefined || encrypted ? value : seal.open(keyId, arnOf(parameter), value),
  };
}

/** The version that a new one follows, and that a bare name means. */
export function latest(parameter: StoredParameter): ParameterVersion {
  const version = parameter.versions.at(-1);
  if (!version) throw new Error(`Parameter ${parameter.name} has no version`);
  return version;
}

/** The version that a selector (`:3`, `:label`) means; undefined when there is none. */
export function select(parameter: StoredParameter, selector?: string): ParameterVersion | undefined {
  if (selector === undefined) return latest(parameter);
  const wanted = selector.slice(1);
  return parameter.versions.find(
    ({ version, labels }) => labels.includes(wanted) || String(version) === wanted,
  );
}

/** A parameter as the reading operations answer it. */
export function describeValue(
  table: ParameterTable,
  parameter: StoredParameter,
  version: ParameterVersion,
  { decrypt, selector }: { decrypt: boolean; selector?: string | undefined },
): object {
  return {
    Name: parameter.name,
    ARN: parameterArn(parameter, parameter.name),
    Type: version.type,
    Value: table.valueOf(parameter, version, !decrypt),
    Version: version.version,
    Selector: selector,
    LastModifiedDate: version.modified,
    DataType: version.dataType,
  };
}

/** What DescribeParameters and GetParameterHistory say about a version besides its value. */
export function describeVersion(parameter: StoredParameter, version: ParameterVersion): object {
  return {
    Name: parameter.name,
    Type: version.type,
    KeyId: version.keyId,
    LastModifiedDate: version.modified,
    LastModifiedUser: version.modifiedBy,
    Description: version.description,
    AllowedPattern: version.allowedPattern,
    Version: version.version,
    Tier: version.tier,
    Policies: [],
    DataType: version.dataType,
  };
}
