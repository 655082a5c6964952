/** Builds what production runs into dist/: the worker, the `slipway` command and the workflows' bundle. */
import { join } from 'node:path';
import { execa } from 'execa';

const ROOT = join(import.meta.dirname, '..');
const options = { cwd: ROOT, stdio: 'inherit' } as const;

await execa('tsc', ['-p', 'tsconfig.build.json'], options);
await execa('node', ['scripts/bundle.ts', '--out', 'dist/workflow-bundle.js'], options);
