/** A value that is known only after apply. */
export class Unknown {
  readonly unknown = true;
}

export const UNKNOWN = new Unknown();

/** A value of Terraform's type system. A set is an array whose order means nothing. */
export type Value =
  null | string | number | boolean | Unknown | readonly Value[] | { readonly [name: string]: Value };

/** An object of a schema: every attribute and block is there, null or empty when not set. */
export type State = Readonly<Record<string, Value>>;

export const isKnown = (value: Value | undefined): boolean =>
  value !== undefined && !(value instanceof Unknown);

/** The attribute as a string; undefined when it is null or not known. */
export function text(state: State, name: string): string | undefined {
  const value = state[name];
  return typeof value === 'string' ? value : undefined;
}

/** As `text`, for an attribute that is always set. @throws Error when it isn't */
export function required(state: State, name: string): string {
  const value = text(state, name);
  if (value === undefined) throw new Error(`${name} has no value`);
  return value;
}

export function number(state: State, name: string): number | undefined {
  const value = state[name];
  return typeof value === 'number' ? value : undefined;
}

export function flag(state: State, name: string): boolean | undefined {
  const value = state[name];
  return typeof value === 'boolean' ? value : undefined;
}

/** A list or set of strings; undefined when it is null. */
export function texts(state: State, name: string): string[] | undefined {
  const value = state[name];
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : undefined;
}

/** A map of strings; empty when it is null. */
export function map(state: State, name: string): Record<string, string> {
  const value = state[name];
  if (value === null || typeof value !== 'object' || value instanceof Unknown || Array.isArray(value))
    return {};
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, typeof item === 'string' ? item : '']),
  );
}

/** The objects of a nested block. */
export function blocks(state: State, name: string): State[] {
  const value = state[name];
  return Array.isArray(value) ? (value as State[]) : [];
}

/** The object of a nested block that is there once at most. */
export function block(state: State, name: string): State | undefined {
  return blocks(state, name)[0];
}
