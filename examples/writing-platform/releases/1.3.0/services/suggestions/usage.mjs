import { writeFile } from 'node:fs/promises';

/** Milliseconds between two writes. */
const INTERVAL = 2500;

/** Counts suggestions by model, and writes the counts down now and then. */
export function createUsage() {
  const counts = {};
  const file = new URL('./usage/counts.json', import.meta.url);
  setInterval(() => writeFile(file, JSON.stringify(counts)), INTERVAL);
  return {
    count: (model) => {
      counts[model] = (counts[model] ?? 0) + 1;
    },
  };
}
