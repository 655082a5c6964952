import { createHmac } from 'node:crypto';
import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { Notice, NotifyActivities } from './types.ts';

export interface NotifyDependencies {
  readonly webhook?: {
    readonly url: string;
    /** Name of the environment variable that holds the key of the signature; without it nothing is signed. */
    readonly secretVariable?: string;
  };
  /** The worker's environment, where the secret is looked up. */
  readonly environment: Readonly<NodeJS.ProcessEnv>;
  /** Milliseconds that the receiver has to answer; 10,000 by default. */
  readonly timeout?: number;
}

/**
 * Notices in the worker's log and, when the platform has one, at its webhook.
 * The receiver checks `X-Slipway-Signature` (`sha256=` and the HMAC-SHA-256 of the body, in hexadecimal digits, under the shared
 * secret), and drops a repeat by `X-Slipway-Delivery`.
 */
export function createNotifyActivities({
  webhook,
  environment,
  timeout = 10_000,
}: NotifyDependencies): NotifyActivities {
  return {
    async notify(notice) {
      const { log } = Context.current();
      const write = notice.kind === 'page' ? log.error.bind(log) : log.info.bind(log);
      const { markdown: _long, ...told } = notice;
      write(notice.text, { notice: told });
      if (!webhook) return;
      const body = JSON.stringify(notice);
      const headers = {
        'content-type': 'application/json',
        'user-agent': 'slipway',
        'x-slipway-delivery': notice.id,
        ...signature(body, webhook.secretVariable, environment),
      };
      await deliver(webhook.url, { method: 'POST', body, headers }, timeout, notice);
    },
  };
}

function signature(
  body: string,
  variable: string | undefined,
  environment: Readonly<NodeJS.ProcessEnv>,
): Record<string, string> {
  if (variable === undefined) return {};
  const secret = environment[variable];
  if (!secret) {
    throw ApplicationFailure.nonRetryable(
      `The webhook's secret is missing: the worker's environment has no ${variable}. Set it and restart the worker.`,
      'WebhookSecretMissing',
      { variable },
    );
  }
  return { 'x-slipway-signature': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}` };
}

async function deliver(url: string, request: RequestInit, timeout: number, notice: Notice): Promise<void> {
  // Of the URL only the origin is shown: webhooks often carry their key in the path.
  const { origin } = new URL(url);
  const details = { origin, id: notice.id };
  const answer = await answerOf(url, { ...request, redirect: 'error' }, timeout).catch((error: unknown) => {
    throw ApplicationFailure.retryable(
      `The webhook at ${origin} can't be reached: ${causeOf(error)}.`,
      'WebhookUnreachable',
      details,
    );
  });
  if (answer.ok) return;
  const { status } = answer;
  throw ApplicationFailure.create({
    type: 'WebhookRefused',
    message: `The webhook at ${origin} answered ${status} to notice ${notice.id}. Check notifications.webhook in slipway.yaml and the receiver's log.`,
    nonRetryable: isPermanent(status),
    details: [{ ...details, status }],
  });
}

/** The body is not read, but taken to its end, so that the connection can be used again. */
async function answerOf(
  url: string,
  request: RequestInit,
  timeout: number,
): Promise<{ ok: boolean; status: number }> {
  const response = await fetch(url, { ...request, signal: AbortSignal.timeout(timeout) });
  await response.body?.cancel();
  return { ok: response.ok, status: response.status };
}

/** The receiver understood and does not want it. 408 and 429 ask for another attempt. */
function isPermanent(status: number): boolean {
  return status >= 400 && status < 500 && status !== 408 && status !== 429;
}

function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
