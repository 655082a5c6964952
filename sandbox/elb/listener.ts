import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Action, ForwardActionConfig } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { Clock } from '../clock.ts';
import type { Matcher } from './conditions.ts';
import { compileConditions } from './conditions.ts';
import { forward } from './forward.ts';
import type { Outcome } from './forward.ts';
import { errorAnswer, fixedAnswer, redirectAnswer, send } from './own-answers.ts';
import type { OwnAnswer } from './own-answers.ts';
import { keyOf } from './pool.ts';
import type { TargetPool } from './pool.ts';
import type { ListenerRecord, LoadBalancerRecord, RuleRecord } from './records.ts';
import { headersForTarget } from './request-headers.ts';
import type { RequestMetrics } from './request-metrics.ts';
import { stickyHeader, stickyValue } from './stickiness.ts';
import type { Target } from './target.ts';

/** What a listener serves by; replaced as a whole when the API changes it. */
export interface ListenerConfig {
  readonly listener: ListenerRecord;
  readonly loadBalancer: LoadBalancerRecord;
  /** In the order in which they are tried; the default rule is last. */
  readonly rules: readonly RuleRecord[];
}

export interface ListenerOptions {
  readonly clock: Clock;
  readonly metrics: RequestMetrics;
  /** From 0 to below 1: draws the target group by the weights. */
  readonly random: () => number;
  pool(
    targetGroupArn: string,
  ): { readonly pool: TargetPool; readonly attributes: Readonly<Record<string, string>> } | undefined;
}

interface Chosen {
  readonly groupArn: string;
  readonly target: Target | undefined;
  /** Cookies to set, as headers. */
  readonly cookies: readonly string[];
}

const FAILED: Readonly<Record<Exclude<Outcome['kind'], 'answered'>, number>> = {
  refused: 502,
  broken: 502,
  timeout: 504,
  clientGone: 460,
};

/** A listener's HTTP server on its real port of 127.0.0.1. */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #server: Server;
  #config: ListenerConfig;
  #rules: { readonly matches: Matcher; readonly action: Action | undefined }[] = [];

  constructor(config: ListenerConfig, options: ListenerOptions) {
    this.#options = options;
    this.#server = createServer(
      { requestTimeout: 0 },
      (request, response) => void this.#serve(request, response),
    );
    this.#server.on('clientError', (_error, socket) => {
      options.metrics.own('error', 400);
      if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
    });
    this.#config = config;
    this.configure(config);
  }

  get port(): number {
    return this.#config.listener.port;
  }

  configure(config: ListenerConfig): void {
    this.#config = config;
    this.#rules = config.rules.map(({ conditions, actions }) => ({
      matches: compileConditions(conditions),
      action: actions[0],
    }));
    this.#server.keepAliveTimeout = this.#idleTimeoutMs();
  }

  /** @throws Error with code EADDRINUSE or EACCES */
  open(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.port, '127.0.0.1', () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
  }

  /** Takes no more connections; requests under way end first, for `graceMs` at most. */
  close(graceMs: number): Promise<void> {
    return new Promise((resolve) => {
      if (!this.#server.listening) return resolve();
      const timer = setTimeout(() => this.#server.closeAllConnections(), graceMs);
      this.#server.close(() => {
        clearTimeout(timer);
        resolve();
      });
      this.#server.closeIdleConnections();
    });
  }

  #idleTimeoutMs(): number {
    return Number(this.#config.loadBalancer.attributes['idle_timeout.timeout_seconds']) * 1000;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // The client may go away at any time; what that means is seen where its answer is written.
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    response.once('finish', () => {
      if (!this.#server.listening) setImmediate(() => this.#server.closeIdleConnections());
    });
    const action = this.#rules.find(({ matches }) => matches(request))?.action;
    if (action?.ForwardConfig) return this.#forward(request, response, action.ForwardConfig);
    if (action?.FixedResponseConfig) {
      return this.#answer(response, 'fixed', fixedAnswer(action.FixedResponseConfig));
    }
    if (action?.RedirectConfig) {
      return this.#answer(response, 'redirect', redirectAnswer(action.RedirectConfig, request, this.port));
    }
    this.#answer(response, 'error', errorAnswer(503));
  }

  #answer(response: ServerResponse, kind: 'error' | 'fixed' | 'redirect', answer: OwnAnswer): void {
    this.#options.metrics.own(kind, answer.status);
    this.#send(response, answer);
  }

  #send(response: ServerResponse, answer: OwnAnswer): void {
    const { attributes } = this.#config.listener;
    send(response, answer, attributes['routing.http.response.server.enabled'] === 'true');
  }

  async #forward(
    request: IncomingMessage,
    response: ServerResponse,
    config: ForwardActionConfig,
  ): Promise<void> {
    const chosen = this.#choose(request, config);
    if (!chosen?.target) return this.#answer(response, 'error', errorAnswer(503));
    const { attributes } = this.#config.loadBalancer;
    const outcome = await forward({
      request,
      response,
      target: chosen.target,
      headers: headersForTarget(request, {
        listenerPort: this.port,
        xff: attributes['routing.http.xff_header_processing.mode'] ?? 'append',
        clientPort: attributes['routing.http.xff_client_port.enabled'] === 'true',
      }),
      answerHeaders: chosen.cookies,
      idleTimeoutMs: this.#idleTimeoutMs(),
    });
    const status = outcome.kind === 'answered' ? outcome.status : FAILED[outcome.kind];
    const sharers = this.#options.pool(chosen.groupArn)?.pool.sharers ?? 1;
    this.#options.metrics.forwarded(chosen.groupArn, outcome, status, sharers);
    if (outcome.kind !== 'answered' && outcome.kind !== 'clientGone')
      this.#send(response, errorAnswer(status));
  }

  #choose(request: IncomingMessage, config: ForwardActionConfig): Chosen | undefined {
    const now = this.#options.clock.now();
    const groupArn = this.#chooseGroup(request, config, now);
    const found = groupArn === undefined ? undefined : this.#options.pool(groupArn);
    if (groupArn === undefined || !found) return undefined;
    const { pool, attributes } = found;
    const cookies: string[] = [];
    const sticky = config.TargetGroupStickinessConfig;
    if (sticky?.Enabled === true)
      cookies.push(...stickyHeader('AWSALBTG', groupArn, sticky.DurationSeconds ?? 0, now));
    if (attributes['stickiness.enabled'] !== 'true') return { groupArn, target: pool.choose(), cookies };
    const target = pool.taker(stickyValue(request, 'AWSALB', now) ?? '') ?? pool.choose();
    const seconds = Number(attributes['stickiness.lb_cookie.duration_seconds']);
    if (target) cookies.push(...stickyHeader('AWSALB', keyOf(target), seconds, now));
    return { groupArn, target, cookies };
  }

  #chooseGroup(request: IncomingMessage, config: ForwardActionConfig, now: number): string | undefined {
    const groups = (config.TargetGroups ?? []).filter(({ Weight = 1 }) => Weight > 0);
    if (config.TargetGroupStickinessConfig?.Enabled === true) {
      const kept = stickyValue(request, 'AWSALBTG', now);
      // A group whose weight has gone to zero keeps none of its clients.
      if (groups.some(({ TargetGroupArn }) => TargetGroupArn === kept)) return kept;
    }
    const total = groups.reduce((sum, { Weight = 1 }) => sum + Weight, 0);
    let drawn = this.#options.random() * total;
    return groups.find(({ Weight = 1 }) => (drawn -= Weight) < 0)?.TargetGroupArn;
  }
}
