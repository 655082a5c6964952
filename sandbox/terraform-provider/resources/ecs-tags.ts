import type { Tag } from '@aws-sdk/client-ecs';

/** Tags as ECS writes them; left out of a request when there are none. */
export function lowerTags(given: Readonly<Record<string, string>>): Tag[] | undefined {
  const list = Object.entries(given).map(([key, value]) => ({ key, value }));
  return list.length > 0 ? list : undefined;
}

/** Without AWS's own, which nobody declares. */
export function fromLowerTags(list: readonly Tag[] = []): Record<string, string> {
  return Object.fromEntries(
    list.flatMap(({ key = '', value = '' }) => (key.startsWith('aws:') ? [] : [[key, value]])),
  );
}
