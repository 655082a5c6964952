import type { StateBackend, StateFile } from '../state-backend.ts';
import type { TrialObject, TrialServer } from '../trial-provider/server.ts';

/** How things are, by names of objects. */
export interface World {
  /** There more than once. */
  readonly duplicates: readonly string[];
  /** Not there at all. */
  readonly missing: readonly string[];
  /** There, and the state does not know of it; or known as tainted. */
  readonly unknown: readonly string[];
  readonly locked: boolean;
}

/** Looks at the service and at the state, not at what anybody says. */
export function look(
  backend: StateBackend,
  server: TrialServer,
  path: string,
  names: readonly string[],
): World {
  const there = server.objects().map(({ name }) => name);
  return {
    duplicates: names.filter((name) => there.filter((other) => other === name).length > 1),
    missing: names.filter((name) => !there.includes(name)),
    unknown: unknownTo(backend.state(path), server.objects()).map(({ name }) => name),
    locked: backend.lock(path) !== undefined,
  };
}

/** Objects that the state doesn't have whole, under their own ids. */
export function unknownTo(
  state: StateFile | undefined,
  objects: readonly TrialObject[],
): readonly TrialObject[] {
  const known = (state?.resources ?? []).flatMap(({ instances }) =>
    instances.filter(({ status }) => status === undefined).map(({ attributes }) => attributes['id']),
  );
  return objects.filter(({ id }) => !known.includes(id));
}
