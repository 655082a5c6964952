import { Agent } from 'node:http';
import type { ClientRequest } from 'node:http';
import type { Clock, Timer } from '../clock.ts';
import { afterCheck, check, DRAINING, REGISTERED, UNUSED } from './health-check.ts';
import type { CheckedHealth, Health } from './health-check.ts';
import type { HealthCheckSettings, TargetAddress } from './records.ts';

/** However fast the sandbox's time goes, a target runs in true time: it gets this long to answer a check. */
const LEAST_TIMEOUT_MS = 1000;
const LEAST_INTERVAL_MS = 50;
const IDLE_CONNECTIONS = 64;

export interface TargetOptions {
  readonly address: TargetAddress;
  readonly clock: Clock;
  /** The group's settings as they are now. */
  settings(): HealthCheckSettings;
  /** Called when the state or its reason has changed. */
  onChange(target: Target): void;
}

/** A registered target: its health, its connections, and what is on its way to it. */
export class Target implements TargetAddress {
  readonly id: string;
  readonly port: number;
  /** Keeps connections open between requests. In use only for what may be sent twice. */
  readonly agent = new Agent({ keepAlive: true, maxFreeSockets: IDLE_CONNECTIONS, scheduling: 'lifo' });
  readonly #options: TargetOptions;
  readonly #requests = new Set<ClientRequest>();
  #checked: CheckedHealth = { ...REGISTERED, health: UNUSED };
  #timer: Timer | undefined;
  #checking = false;
  #idle: (() => void) | undefined;
  readonly #closed = new AbortController();

  constructor(options: TargetOptions) {
    this.#options = options;
    this.id = options.address.id;
    this.port = options.address.port;
  }

  get health(): Health {
    return this.#checked.health;
  }

  get inFlight(): number {
    return this.#requests.size;
  }

  /** Health checks begin, at once; a target that is checked already stays as it is. */
  start(): void {
    if (this.#checking) return;
    this.#checking = true;
    this.#become(REGISTERED);
    void this.#check();
  }

  /** The group takes no traffic any more. */
  stop(health: Health = UNUSED): void {
    this.#checking = false;
    this.#timer?.cancel();
    this.#become({ ...REGISTERED, health });
  }

  /** Takes a request into account until it is closed. */
  carry(request: ClientRequest): void {
    this.#requests.add(request);
    request.once('close', () => {
      this.#requests.delete(request);
      if (this.#requests.size === 0) this.#idle?.();
    });
  }

  /**
   * No new requests from here on. Resolves when the deregistration delay is over and the requests under way have
   * ended; those get the delay in true time, however fast the sandbox's clock is. What is left then is cut.
   */
  async drain(delayMs: number): Promise<void> {
    const began = this.#options.clock.now();
    this.stop(DRAINING);
    this.#closeIdleConnections();
    await this.#options.clock.sleep(delayMs, this.#closed.signal).catch(() => undefined);
    await this.#untilIdle(began + delayMs - this.#options.clock.now());
    this.close();
  }

  /** Cuts all connections. */
  close(): void {
    this.stop();
    for (const request of this.#requests) request.destroy();
    this.agent.destroy();
    this.#closed.abort();
  }

  async #check(): Promise<void> {
    const { clock } = this.#options;
    const { timeoutSeconds } = this.#options.settings();
    const timeoutMs = Math.max(
      (timeoutSeconds * 1000) / clock.speed,
      Math.min(timeoutSeconds * 1000, LEAST_TIMEOUT_MS),
    );
    const result = await check(this, this.#options.settings(), timeoutMs);
    if (!this.#checking) return;
    const settings = this.#options.settings();
    this.#become(afterCheck(this.#checked, result, settings));
    const intervalMs = Math.max(settings.intervalSeconds * 1000, LEAST_INTERVAL_MS * clock.speed);
    this.#timer = clock.after(intervalMs, () => void this.#check());
  }

  #become(next: CheckedHealth): void {
    const { state, reason } = this.#checked.health;
    this.#checked = next;
    if (next.health.state !== state || next.health.reason !== reason) this.#options.onChange(this);
  }

  #closeIdleConnections(): void {
    this.agent.maxFreeSockets = 0;
    for (const sockets of Object.values(this.agent.freeSockets)) {
      for (const socket of sockets ?? []) socket.destroy();
    }
  }

  #untilIdle(withinMs: number): Promise<void> {
    if (this.#requests.size === 0 || withinMs <= 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, withinMs);
      this.#idle = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
