import { writeFile } from 'node:fs/promises';

/** Suggestions between two writes. */
const EVERY = 20;

/** Counts suggestions by model, and writes the counts down now and then. */
export function createUsage() {
  const counts = {};
  const file = new URL('./usage/counts.json', import.meta.url);
  let unwritten = 0;
  return {
    count: (model) => {
      counts[model] = (counts[model] ?? 0) + 1;
      unwritten += 1;
      if (unwritten < EVERY) return;
      unwritten = 0;
      void writeFile(file, JSON.stringify(counts));
    },
  };
}
