import { createCalls } from '../../../sandbox/terraform-provider/plugin/calls.ts';
import { serve } from '../../../sandbox/terraform-provider/plugin/serve.ts';
import { trialProvider } from './provider.ts';

await serve(createCalls(trialProvider));
