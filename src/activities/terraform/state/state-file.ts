import { isObject } from '../../../domain/is-object.ts';
import { digestOf } from '../../../domain/digest.ts';

/** The format that Terraform 0.12 and later and OpenTofu write. */
const FORMAT = 4;

/** A state as far as it may be shown: no values. */
export interface StateSummary {
  /** The same for all states of one history. */
  readonly lineage: string;
  /** Grows by each change. */
  readonly serial: number;
  /** Addresses of what it knows, data sources left out, each with the digest of what it has. */
  readonly objects: ReadonlyMap<string, string>;
  /** Those of `objects` whose creation failed when they were there already. */
  readonly tainted: ReadonlySet<string>;
  /** Over all of these and the outputs: the same for the same content, whichever version of terraform wrote it. */
  readonly digest: string;
}

export type StateReading =
  | { readonly kind: 'state'; readonly state: StateSummary }
  /** What a backend without a state answers: nothing, or a state that has neither a history nor resources. */
  | { readonly kind: 'none' }
  /** `reason` goes on after "it". */
  | { readonly kind: 'unusable'; readonly reason: string };

/** Reads a state file, such as `errored.tfstate` or what `terraform state pull` prints. */
export function readState(text: string): StateReading {
  if (text.trim() === '') return { kind: 'none' };
  const parsed = parse(text);
  if (!isObject(parsed)) return unusable('is not a Terraform state: it is no JSON object');
  if ('encrypted_data' in parsed) return unusable('is encrypted, so that it cannot be compared');
  const { version, lineage, serial, resources, outputs } = parsed;
  if (typeof version !== 'number') return unusable('is not a Terraform state: it has no format version');
  if (version !== FORMAT) return unusable(`has the format version ${version}, where ${FORMAT} is known`);
  if (typeof serial !== 'number' || !Number.isSafeInteger(serial)) return unusable('has no serial number');
  if (!Array.isArray(resources)) return unusable('has no list of resources');
  if (lineage === '' && serial === 0 && resources.length === 0) return { kind: 'none' };
  if (typeof lineage !== 'string' || lineage === '') return unusable('has no lineage');
  const found = resources.flatMap(objectsOf);
  const objects = new Map(found.map(({ address, digest }) => [address, digest]));
  const tainted = new Set(found.filter(({ isTainted }) => isTainted).map(({ address }) => address));
  const digest = digestOf([Object.fromEntries(objects), valuesOf(outputs)]);
  return { kind: 'state', state: { lineage, serial, objects, tainted, digest } };
}

/** What `newer` records otherwise than `older`, by address, sorted. */
export interface StateDifference {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
}

/** @param older absent: there is no state yet */
export function differenceOf(newer: StateSummary, older: StateSummary | undefined): StateDifference {
  const before = older?.objects ?? new Map<string, string>();
  const addresses = [...newer.objects.keys()].toSorted();
  return {
    added: addresses.filter((address) => !before.has(address)),
    changed: addresses.filter(
      (address) => before.has(address) && before.get(address) !== newer.objects.get(address),
    ),
    removed: [...before.keys()].filter((address) => !newer.objects.has(address)).toSorted(),
  };
}

interface StateObject {
  readonly address: string;
  readonly digest: string;
  readonly isTainted: boolean;
}

function objectsOf(resource: unknown): StateObject[] {
  if (!isObject(resource) || resource['mode'] !== 'managed' || !Array.isArray(resource['instances']))
    return [];
  const { module, type, name, instances } = resource;
  const address = `${typeof module === 'string' ? `${module}.` : ''}${String(type)}.${String(name)}`;
  return instances.filter(isObject).map((instance) => {
    const { index_key: key, deposed, status } = instance;
    const suffix = typeof deposed === 'string' ? ` (deposed ${deposed})` : '';
    return {
      address: `${address}${keyOf(key)}${suffix}`,
      digest: digestOf(contentOf(instance)),
      isTainted: status === 'tainted',
    };
  });
}

/** Without what terraform works out anew when it reads and writes a state: dependencies, and what is sensitive. */
function contentOf({ schema_version, status, attributes, attributes_flat }: Record<string, unknown>): object {
  return { schema_version, status, attributes, attributes_flat };
}

function valuesOf(outputs: unknown): object {
  if (!isObject(outputs)) return {};
  return Object.fromEntries(
    Object.entries(outputs).map(([name, output]) => [name, isObject(output) ? output['value'] : output]),
  );
}

/** As Terraform writes it in an address (its `addrs.InstanceKey`). */
function keyOf(key: unknown): string {
  if (typeof key === 'number') return `[${key}]`;
  if (typeof key !== 'string') return '';
  return `[${JSON.stringify(key).replaceAll(/[$%](?=\{)/g, '$&$&')}]`;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unusable(reason: string): StateReading {
  return { kind: 'unusable', reason };
}
