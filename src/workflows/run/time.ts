/** The workflow's own clock, replayed: ISO 8601. */
export function now(): string {
  return new Date().toISOString();
}
