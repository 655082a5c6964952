import { countingProxy, type CountingProxy } from './counting-proxy.ts';
import type { Observation } from './measure.ts';
import { CLUSTER } from './stage.ts';
import type { Release, Statement, Watch } from './watchers/watcher.ts';

/** Where one watcher stands: its own way to the endpoint, on which its calls are counted, and what it said. */
export interface Post {
  readonly proxy: CountingProxy;
  readonly watch: Watch;
  /** What was called and said since then. */
  observed(watcher: string, from: number): Observation;
}

export async function openPost(
  upstream: string,
  services: readonly string[],
  release: Release,
  signal: AbortSignal,
): Promise<Post> {
  const proxy = await countingProxy(upstream);
  const statements: Statement[] = [];
  const say: Watch['say'] = (statement) => void statements.push({ ...statement, at: Date.now() });
  return {
    proxy,
    watch: { proxy, cluster: CLUSTER, services, release, signal, say },
    observed: (watcher, from) => ({
      watcher,
      services,
      statements: statements.filter(({ at }) => at >= from),
      calls: proxy.calls,
      from,
      to: Date.now(),
    }),
  };
}
