import { get } from 'node:http';
import type {
  TargetHealthReasonEnum,
  TargetHealthStateEnum,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import type { HealthCheckSettings, TargetAddress } from './records.ts';

/** A target's health as DescribeTargetHealth tells it. */
export interface Health {
  readonly state: Extract<TargetHealthStateEnum, 'initial' | 'healthy' | 'unhealthy' | 'unused' | 'draining'>;
  readonly reason?: TargetHealthReasonEnum;
  readonly description?: string;
}

/** The outcome of one check; a failure says why in AWS's words. */
export type CheckResult = { readonly passed: true } | Failure;

interface Failure {
  readonly passed: false;
  readonly reason: TargetHealthReasonEnum;
  readonly description: string;
}

/** Health, and how many checks in a row have passed or failed. */
export interface CheckedHealth {
  readonly health: Health;
  readonly passed: number;
  readonly failed: number;
}

export const REGISTERED: CheckedHealth = {
  health: {
    state: 'initial',
    reason: 'Elb.RegistrationInProgress',
    description: 'Target registration is in progress',
  },
  passed: 0,
  failed: 0,
};

export const UNUSED: Health = {
  state: 'unused',
  reason: 'Target.NotInUse',
  description: 'Target group is not configured to receive traffic from the load balancer',
};

export const DRAINING: Health = {
  state: 'draining',
  reason: 'Target.DeregistrationInProgress',
  description: 'Target deregistration is in progress',
};

/**
 * The health after one more check. A new target is healthy at its first success; after that the thresholds count.
 * (ELB user guide, "Health checks for Application Load Balancer target groups")
 */
export function afterCheck(
  { health, ...before }: CheckedHealth,
  result: CheckResult,
  settings: Pick<HealthCheckSettings, 'healthyThreshold' | 'unhealthyThreshold'>,
): CheckedHealth {
  if (result.passed) {
    const passed = before.passed + 1;
    const needed = health.state === 'unhealthy' ? settings.healthyThreshold : 1;
    return { health: passed >= needed ? { state: 'healthy' } : health, passed, failed: 0 };
  }
  const failed = before.failed + 1;
  const { reason, description } = result;
  if (failed >= settings.unhealthyThreshold || health.state === 'unhealthy') {
    return { health: { state: 'unhealthy', reason, description }, passed: 0, failed };
  }
  const initial: Health = {
    state: 'initial',
    reason: 'Elb.InitialHealthChecking',
    description: 'Initial health checks in progress',
  };
  return { health: health.state === 'initial' ? initial : health, passed: 0, failed };
}

/** Asks the target once, over a connection of its own. Never rejects. */
export function check(
  target: TargetAddress,
  settings: HealthCheckSettings,
  timeoutMs: number,
): Promise<CheckResult> {
  const port = settings.port === 'traffic-port' ? target.port : Number(settings.port);
  return new Promise((resolve) => {
    const timer = setTimeout(() => request.destroy(new Error('timeout')), timeoutMs);
    const done = (result: CheckResult): void => {
      clearTimeout(timer);
      resolve(result);
    };
    const request = get({
      host: '127.0.0.1',
      port,
      path: settings.path,
      agent: false,
      headers: { 'user-agent': 'ELB-HealthChecker/2.0' },
    });
    request.on('response', (response) => {
      const status = response.statusCode ?? 0;
      response.on('error', () => undefined).resume();
      done(matches(settings.matcher, status) ? { passed: true } : mismatch(status));
    });
    request.on('error', (error) => done(error.message === 'timeout' ? TIMED_OUT : FAILED));
  });
}

/** Whether a status is one of `200`, `200,202` or `200-299`. */
export function matches(matcher: string, status: number): boolean {
  return matcher.split(',').some((part) => {
    const [low = Number.NaN, high = low] = part.split('-').map(Number);
    return status >= low && status <= high;
  });
}

const TIMED_OUT: Failure = { passed: false, reason: 'Target.Timeout', description: 'Request timed out' };
const FAILED: Failure = {
  passed: false,
  reason: 'Target.FailedHealthChecks',
  description: 'Health checks failed',
};

function mismatch(status: number): Failure {
  return {
    passed: false,
    reason: 'Target.ResponseCodeMismatch',
    description: `Health checks failed with these codes: [${status}]`,
  };
}
