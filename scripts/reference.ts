/** Writes the reference pages that are made from schemas: `node scripts/reference.ts`. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { referencePages } from './reference/pages.ts';

for (const [path, content] of Object.entries(await referencePages())) {
  writeFileSync(join(import.meta.dirname, '..', path), content);
  console.log(`wrote ${path}`);
}
