import type { Clock } from '../clock.ts';
import type { Health } from './health-check.ts';
import type { HealthCheckSettings, TargetAddress, TargetGroupRecord } from './records.ts';
import { Target } from './target.ts';

export interface PoolOptions {
  readonly clock: Clock;
  /** The group as the API has it now. */
  group(): TargetGroupRecord;
  /** By how many seconds the target that begins to drain does so longer than the group says. */
  drainsLonger(): number;
  onChange(target: Target): void;
}

export const keyOf = ({ id, port }: TargetAddress): string => `${id}:${port}`;

/** The targets of one target group, and which of them gets the next request. */
export class TargetPool {
  readonly #options: PoolOptions;
  readonly #targets = new Map<string, Target>();
  readonly #draining = new Map<string, { target: Target; done: Promise<void> }>();
  #settings: HealthCheckSettings;
  #inUse = false;
  #turn = 0;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#settings = options.group().healthCheck;
  }

  /** Makes the pool what the API says: targets registered or removed, settings changed, in use or not. */
  update(inUse: boolean): void {
    const { targets, healthCheck } = this.#options.group();
    this.#settings = healthCheck;
    this.#inUse = inUse;
    const wanted = new Set(targets.map(keyOf));
    for (const address of targets) this.#add(address);
    for (const [key, target] of this.#targets) {
      if (!wanted.has(key)) this.#remove(key, target);
      else if (inUse) target.start();
      else target.stop();
    }
  }

  /** Resolves when the target has drained; at once when it isn't there. */
  drained(address: TargetAddress): Promise<void> {
    return this.#draining.get(keyOf(address))?.done ?? Promise.resolve();
  }

  /** Registered targets, then draining ones. */
  health(): { target: TargetAddress; health: Health }[] {
    const all = [...this.#targets.values(), ...[...this.#draining.values()].map(({ target }) => target)];
    return all.map((target) => ({ target: { id: target.id, port: target.port }, health: target.health }));
  }

  /**
   * The target for the next request: in turn or the least busy one, by the group's algorithm. When all are
   * unhealthy every one of them is taken (the load balancer fails open); undefined when there is none to take.
   */
  choose(): Target | undefined {
    const takers = this.#takers();
    if (takers.length === 0) return undefined;
    const turn = this.#turn++ % takers.length;
    const inTurn = [...takers.slice(turn), ...takers.slice(0, turn)];
    const { attributes } = this.#options.group();
    if (attributes['load_balancing.algorithm.type'] !== 'least_outstanding_requests') return inTurn[0];
    return inTurn.reduce((least, target) => (target.inFlight < least.inFlight ? target : least));
  }

  /** How many targets share the requests: the healthy ones, or without any all that are registered. */
  get sharers(): number {
    const healthy = [...this.#targets.values()].filter(({ health }) => health.state === 'healthy');
    return Math.max(1, healthy.length > 0 ? healthy.length : this.#targets.size);
  }

  /** The target of that key when it may take a request: for stickiness. */
  taker(key: string): Target | undefined {
    return this.#takers().find((target) => keyOf(target) === key);
  }

  /** Cuts all connections. */
  close(): void {
    for (const target of this.#targets.values()) target.close();
    for (const { target } of this.#draining.values()) target.close();
    this.#targets.clear();
    this.#draining.clear();
  }

  #takers(): Target[] {
    const targets = [...this.#targets.values()];
    const healthy = targets.filter(({ health }) => health.state === 'healthy');
    return healthy.length > 0 ? healthy : targets.filter(({ health }) => health.state === 'unhealthy');
  }

  #add(address: TargetAddress): void {
    const key = keyOf(address);
    if (this.#targets.has(key)) return;
    const target = new Target({
      address,
      clock: this.#options.clock,
      settings: () => this.#settings,
      onChange: (changed) => this.#options.onChange(changed),
    });
    this.#targets.set(key, target);
    // Registered again before it had drained: from here on the address is this target's.
    this.#draining.delete(key);
  }

  #remove(key: string, target: Target): void {
    this.#targets.delete(key);
    if (!this.#inUse) return target.close();
    this.#draining.set(key, { target, done: this.#drain(key, target) });
  }

  async #drain(key: string, target: Target): Promise<void> {
    const documented = Number(this.#options.group().attributes['deregistration_delay.timeout_seconds']);
    await target.drain((documented + this.#options.drainsLonger()) * 1000);
    if (this.#draining.get(key)?.target === target) this.#draining.delete(key);
  }
}
