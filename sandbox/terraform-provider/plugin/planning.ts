import { pathOf } from './diagnostics.ts';
import type { AttributePath } from './diagnostics.ts';
import { isComputed, sameBlocks, sameValue } from './schema.ts';
import type { Attribute, Schema } from './schema.ts';
import { isKnown, Unknown, UNKNOWN } from './value.ts';
import type { State, Value } from './value.ts';

export interface Plan {
  readonly planned: State;
  readonly requiresReplace: readonly AttributePath[];
}

/**
 * What a resource will be: the configuration, its defaults, what AWS filled in before, and unknown for what it
 * will fill in.
 * @param prior null for a resource that is to be created
 */
export function plan(schema: Schema, prior: State | null, config: State): Plan {
  const settled = fill(schema, prior, config);
  const planned = prior === null ? settled : renew(schema, prior, settled);
  return { planned, requiresReplace: prior === null ? [] : replacing(schema, prior, planned) };
}

function fill(schema: Schema, prior: State | null, config: State): State {
  const attributes = Object.entries(schema.attributes).map(([name, attribute]): [string, Value] => [
    name,
    fillAttribute(attribute, prior === null ? undefined : (prior[name] ?? null), config[name] ?? null),
  ]);
  const nested = Object.entries(schema.blocks ?? {}).map(([name, block]): [string, Value] => {
    const before = prior?.[name];
    const given = config[name] ?? [];
    if (!Array.isArray(given)) return [name, given];
    const items = given.map((item, i) => {
      const same = block.nesting === 'list' && Array.isArray(before) ? before[i] : undefined;
      return fill(block, (same as State | undefined) ?? null, item as State);
    });
    return [name, items];
  });
  return Object.fromEntries([...attributes, ...nested]);
}

function fillAttribute(attribute: Attribute, prior: Value | undefined, config: Value): Value {
  if (config !== null) return keepsSpelling(attribute, prior, config) ? (prior ?? null) : config;
  if (attribute.default !== undefined) return attribute.default;
  if (!isComputed(attribute)) return null;
  return prior === undefined ? UNKNOWN : prior;
}

function keepsSpelling({ equivalent }: Attribute, prior: Value | undefined, config: Value): boolean {
  return (
    equivalent !== undefined &&
    typeof prior === 'string' &&
    typeof config === 'string' &&
    equivalent(prior, config)
  );
}

/** Makes unknown what changes along with what the plan changes. */
function renew(schema: Schema, prior: State, planned: State): State {
  const changes = (name: string): boolean => {
    const attribute = schema.attributes[name];
    if (attribute !== undefined)
      return !sameValue(attribute.type, prior[name] ?? null, planned[name] ?? null);
    const block = schema.blocks?.[name];
    return block !== undefined && !sameBlocks(block, prior[name] ?? [], planned[name] ?? []);
  };
  const renewed = Object.entries(schema.attributes)
    .filter(([, { changesWith }]) => changesWith?.some(changes))
    .map(([name]) => [name, UNKNOWN]);
  return { ...planned, ...Object.fromEntries(renewed) } as State;
}

function replacing(schema: Schema, prior: State, planned: State): AttributePath[] {
  const attributes = Object.entries(schema.attributes)
    .filter(
      ([name, { forceNew, type }]) =>
        forceNew && !sameValue(type, prior[name] ?? null, planned[name] ?? null),
    )
    .map(([name]) => pathOf(name));
  const nested = Object.entries(schema.blocks ?? {})
    .filter(([name, block]) => block.forceNew && !sameBlocks(block, prior[name] ?? [], planned[name] ?? []))
    .map(([name]) => pathOf(name));
  return [...attributes, ...nested];
}

/** What a resource is after apply: the plan, and where it says unknown, what AWS says. */
export function settle(schema: Schema, planned: State, live: State | undefined): State {
  const attributes = Object.keys(schema.attributes).map((name): [string, Value] => {
    const value = planned[name] ?? null;
    return [name, isKnown(value) ? value : (live?.[name] ?? null)];
  });
  const nested = Object.entries(schema.blocks ?? {}).map(([name, block]): [string, Value] => {
    const value = planned[name] ?? [];
    if (value instanceof Unknown) return [name, live?.[name] ?? []];
    const found = live?.[name];
    const items = (value as readonly State[]).map((item, i) =>
      settle(block, item, Array.isArray(found) ? (found[i] as State | undefined) : undefined),
    );
    return [name, items];
  });
  return Object.fromEntries([...attributes, ...nested]);
}

/**
 * What AWS says, in the words of the state before: null and empty are the same, and so are null and what AWS says
 * of a thing that isn't set.
 */
export function observe(schema: Schema, prior: State, live: State): State {
  const attributes = Object.entries(schema.attributes).map(([name, attribute]): [string, Value] => {
    const before = prior[name] ?? null;
    const now = live[name] ?? null;
    if (sameValue(attribute.type, before, now)) return [name, before];
    const unset = (value: Value): boolean => isEmpty(value) || value === attribute.absent;
    return [name, unset(before) && unset(now) ? before : now];
  });
  const nested = Object.entries(schema.blocks ?? {}).map(([name, block]): [string, Value] => {
    const before = prior[name];
    const now = live[name] ?? [];
    if (block.nesting === 'set' || !Array.isArray(before) || !Array.isArray(now)) return [name, now];
    const items = now.map((item, i) =>
      before[i] ? observe(block, before[i] as State, item as State) : item,
    );
    return [name, items];
  });
  return Object.fromEntries([...attributes, ...nested]);
}

function isEmpty(value: Value): boolean {
  if (value === null || value === '') return true;
  return typeof value === 'object' && !(value instanceof Unknown) && Object.keys(value).length === 0;
}
