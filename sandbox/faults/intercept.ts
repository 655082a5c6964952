import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Call } from '../protocol/dispatch.ts';
import type { Intercept } from '../protocol/http.ts';
import { AwsError } from '../protocol/service.ts';
import { throttled } from './errors.ts';
import type { Faults, Strike } from './faults.ts';
import { matches } from './match.ts';
import { isAboutCalls } from './rule.ts';
import type { CallFault, Rule } from './rule.ts';

type CallRule = Extract<Rule, CallFault>;

/**
 * Calls as the rules will have them. Latencies add up; the first rule of any other fault decides.
 * @param ended cuts the calls that wait when it is aborted
 */
export function interceptWith(faults: Faults, ended: AbortSignal): Intercept {
  return async (call, act) => {
    const { delayMs, strike } = struckBy(faults, call);
    if (delayMs > 0) {
      // The client may have gone by then: a service acts all the same.
      const passed = await sleep(delayMs, true, { signal: ended }).catch(() => false);
      if (!passed) return 'cut';
    }
    if (!strike) return act();
    const { rule, deleted } = strike;
    switch (rule.fault) {
      case 'throttle':
        throw throttled(call.model.name);
      case 'error':
        throw new AwsError(rule.code, rule.message, rule.status === undefined ? {} : { status: rule.status });
      case 'hang':
        await untilAborted(AbortSignal.any([deleted, ended]));
        return 'cut';
      case 'lostAnswer':
        // What the operation would have said doesn't matter: nobody hears it.
        await act().catch(() => undefined);
        return 'cut';
    }
  };
}

type Decisive = Exclude<CallRule, { fault: 'latency' }>;

function struckBy(faults: Faults, call: Call): { delayMs: number; strike?: Strike<Decisive> } {
  let delayMs = 0;
  for (const { rule, deleted } of faults.strikes((each) => concerns(each, call))) {
    if (rule.fault !== 'latency') return { delayMs, strike: { rule, deleted } };
    delayMs += rule.milliseconds;
  }
  return { delayMs };
}

function concerns(rule: Rule, { model, operation, input }: Call): rule is CallRule {
  if (!isAboutCalls(rule)) return false;
  const { service = model.name, action = operation, match = {} } = rule;
  return service === model.name && action === operation && matches(match, input);
}

async function untilAborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}
