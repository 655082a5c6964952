import { createCalls } from './plugin/calls.ts';
import { serve } from './plugin/serve.ts';
import { awsProvider } from './provider.ts';

try {
  await serve(createCalls(awsProvider));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
