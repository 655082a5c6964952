import type { Clock, Timer } from '../clock.ts';
import type { MetricRecorder } from '../cloudwatch/recorder.ts';
import type { Health } from './health-check.ts';
import { Listener } from './listener.ts';
import type { ListenerConfig } from './listener.ts';
import { TargetPool } from './pool.ts';
import { groupsOf, listenersOf, loadBalancerOf, rulesOf, targetGroupOf, usersOf } from './records.ts';
import type { ElbTables, ListenerRecord, TargetAddress } from './records.ts';
import { createRequestMetrics, recordHosts } from './request-metrics.ts';

export interface PlaneOptions {
  readonly tables: ElbTables;
  readonly clock: Clock;
  readonly recorder: MetricRecorder;
  readonly random?: () => number;
  /** Asked once for each target that begins to drain: by how many seconds it does so longer than its group says. */
  readonly drainsLonger?: (targetGroupArn: string) => number;
}

export interface HealthChange {
  readonly targetGroupArn: string;
  readonly target: TargetAddress;
  readonly health: Health;
}

const REOPEN_MS = 1000;
const CLOSE_GRACE_MS = 5000;
const HOST_COUNT_MS = 10_000;

/** What really serves: the listeners' servers and the target groups' pools, kept equal to what the API says. */
export class DataPlane {
  readonly #options: PlaneOptions;
  readonly #pools = new Map<string, TargetPool>();
  readonly #listeners = new Map<string, Listener>();
  readonly #unopened = new Map<string, string>();
  readonly #watchers = new Set<(change: HealthChange) => void>();
  #reopening: NodeJS.Timeout | undefined;
  #counting: Timer | undefined;

  constructor(options: PlaneOptions) {
    this.#options = options;
  }

  /** Brings back what an earlier sandbox served. A port that is still taken is tried again until it is free. */
  async restore(): Promise<void> {
    this.refresh();
    for (const listener of this.#options.tables.listeners.values()) await this.#reopen(listener);
    this.#countHosts();
  }

  /**
   * Serves the listener at its port; one that served at another port takes no more connections there.
   * @throws Error with code EADDRINUSE or EACCES when the port can't be listened on
   */
  async open(record: ListenerRecord): Promise<void> {
    const { clock, recorder, random = Math.random } = this.#options;
    const listener = new Listener(this.#configOf(record), {
      clock,
      random,
      metrics: createRequestMetrics(recorder, record.loadBalancerArn),
      pool: (arn) => this.#poolFor(arn),
    });
    await listener.open();
    void this.#listeners.get(record.arn)?.close(CLOSE_GRACE_MS);
    this.#listeners.set(record.arn, listener);
  }

  async closeListener(arn: string): Promise<void> {
    const listener = this.#listeners.get(arn);
    this.#listeners.delete(arn);
    this.#unopened.delete(arn);
    await listener?.close(CLOSE_GRACE_MS);
  }

  /** To be called after each change of the tables: rules, targets, settings. */
  refresh(): void {
    const { tables } = this.#options;
    const used = new Set(tables.rules.values().flatMap(({ actions }) => groupsOf(actions)));
    for (const { arn } of tables.targetGroups.values()) this.#pool(arn).update(used.has(arn));
    for (const [arn, pool] of this.#pools) {
      if (tables.targetGroups.get(arn)) continue;
      pool.close();
      this.#pools.delete(arn);
    }
    for (const [arn, listener] of this.#listeners) {
      const record = tables.listeners.get(arn);
      if (record) listener.configure(this.#configOf(record));
    }
  }

  health(targetGroupArn: string): { target: TargetAddress; health: Health }[] {
    return this.#pools.get(targetGroupArn)?.health() ?? [];
  }

  drained(targetGroupArn: string, target: TargetAddress): Promise<void> {
    return this.#pools.get(targetGroupArn)?.drained(target) ?? Promise.resolve();
  }

  /** @returns stops the listening */
  onHealthChange(watcher: (change: HealthChange) => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** Why a load balancer's listeners don't serve, when one doesn't. */
  troubleOf(loadBalancerArn: string): string | undefined {
    return listenersOf(this.#options.tables, loadBalancerArn)
      .map(({ arn }) => this.#unopened.get(arn))
      .find((trouble) => trouble !== undefined);
  }

  async close(): Promise<void> {
    clearTimeout(this.#reopening);
    this.#counting?.cancel();
    this.#watchers.clear();
    await Promise.all([...this.#listeners.values()].map((listener) => listener.close(CLOSE_GRACE_MS)));
    for (const pool of this.#pools.values()) pool.close();
  }

  async #reopen(record: ListenerRecord): Promise<void> {
    try {
      await this.open(record);
      this.#unopened.delete(record.arn);
    } catch (error) {
      this.#unopened.set(
        record.arn,
        `Port ${record.port} of 127.0.0.1 can't be listened on: ${String(error)}`,
      );
      this.#reopening ??= setTimeout(() => void this.#reopenAll(), REOPEN_MS);
    }
  }

  async #reopenAll(): Promise<void> {
    this.#reopening = undefined;
    for (const arn of this.#unopened.keys()) {
      const record = this.#options.tables.listeners.get(arn);
      if (record) await this.#reopen(record);
    }
  }

  #configOf(listener: ListenerRecord): ListenerConfig {
    const { tables } = this.#options;
    const loadBalancer = loadBalancerOf(tables, listener.loadBalancerArn);
    return { listener, loadBalancer, rules: rulesOf(tables, listener.arn) };
  }

  #poolFor(arn: string): { pool: TargetPool; attributes: Readonly<Record<string, string>> } | undefined {
    const group = this.#options.tables.targetGroups.get(arn);
    return group && { pool: this.#pool(arn), attributes: group.attributes };
  }

  #pool(arn: string): TargetPool {
    const known = this.#pools.get(arn);
    if (known) return known;
    const { tables, clock, drainsLonger = () => 0 } = this.#options;
    const pool = new TargetPool({
      clock,
      group: () => targetGroupOf(tables, arn),
      drainsLonger: () => drainsLonger(arn),
      onChange: ({ id, port, health }) => {
        const change = { targetGroupArn: arn, target: { id, port }, health };
        for (const watcher of this.#watchers) watcher(change);
        this.#recordHosts(arn);
      },
    });
    this.#pools.set(arn, pool);
    return pool;
  }

  #countHosts(): void {
    for (const arn of this.#pools.keys()) this.#recordHosts(arn);
    this.#counting = this.#options.clock.after(HOST_COUNT_MS, () => this.#countHosts());
  }

  #recordHosts(targetGroupArn: string): void {
    const states = this.health(targetGroupArn).map(({ health }) => health.state);
    for (const user of usersOf(this.#options.tables, targetGroupArn)) {
      recordHosts(this.#options.recorder, user, targetGroupArn, states);
    }
  }
}
