import { createRequire } from 'node:module';
import { ECSClient, waitUntilServicesStable } from '@aws-sdk/client-ecs';
import type { Watch, Watcher } from './watcher.ts';

interface Delays {
  /** Seconds between two looks; the SDK's own by default: 15 to 120. */
  readonly minDelay?: number;
  readonly maxDelay?: number;
}

/** The waiter of AWS's SDK for JavaScript, which deployment actions are made of. */
export function jsSdk(delays: Delays = {}): Watcher {
  const manifest: unknown = createRequire(import.meta.url)('@aws-sdk/client-ecs/package.json');
  return {
    name: '`waitUntilServicesStable`',
    version: `@aws-sdk/client-ecs ${(manifest as { version: string }).version}`,
    role: 'observes',
    watch: (watch) => wait(watch, delays),
  };
}

async function wait({ proxy, cluster, services, signal, say }: Watch, delays: Delays): Promise<void> {
  const credentials = { accessKeyId: 'bench', secretAccessKey: 'bench' };
  const client = new ECSClient({ endpoint: proxy.url, region: 'eu-west-1', credentials });
  try {
    const limits = { client, maxWaitTime: 3600, abortSignal: signal, ...delays };
    // It throws for every other state than success.
    const { state } = await waitUntilServicesStable(limits, { cluster, services: [...services] });
    say({ services, says: 'success', words: `state ${state}` });
  } catch (error) {
    if (signal.aborted) return;
    say({ services, says: 'failure', words: error instanceof Error ? error.message : String(error) });
  } finally {
    client.destroy();
  }
}
