import { DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import type { Target } from '../../domain/policy.ts';
import type { Check } from '../../domain/verdict.ts';
import type { AwsClients } from '../aws.ts';
import { allPages } from './batch.ts';

/**
 * Whether the alarms that shall take a rollout back are there: ECS refuses a rollout that names one that isn't. An alarm that
 * rings already stops nothing, so that what it rings for can be mended by a rollout, but it is told: ECS watches no alarm then.
 * @returns no check where the policy names no alarms
 */
export async function checkAlarms(
  aws: AwsClients,
  target: Target,
  alarms: readonly string[],
): Promise<Check[]> {
  if (alarms.length === 0) return [];
  const states = await readStates(aws, target, alarms);
  const name = 'deployment alarms';
  const missing = alarms.filter((alarm) => !states.has(alarm));
  if (missing.length > 0) {
    const detail = `CloudWatch in ${target.region} has no alarm ${missing.join(', ')}. Create it, or take it out of \`rollout.alarms\` in slipway.yaml.`;
    return [{ name, passed: false, detail }];
  }
  const ringing = alarms.filter((alarm) => states.get(alarm) === 'ALARM');
  const detail =
    ringing.length === 0
      ? `${alarms.join(', ')} would take a rollout back`
      : `${ringing.join(', ')} rings already: until it stops, ECS starts rollouts without watching their alarms`;
  return [{ name, passed: true, detail }];
}

/** States by name, of those that exist. */
async function readStates(
  aws: AwsClients,
  target: Target,
  names: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const { cloudwatch } = aws.clientsFor(target);
  const found = await allPages(async (NextToken) => {
    const page = await cloudwatch.send(
      new DescribeAlarmsCommand({
        AlarmNames: [...names],
        AlarmTypes: ['MetricAlarm', 'CompositeAlarm'],
        NextToken,
      }),
    );
    const { MetricAlarms = [], CompositeAlarms = [] } = page;
    return { items: [...MetricAlarms, ...CompositeAlarms], nextToken: page.NextToken };
  });
  return new Map(found.map(({ AlarmName = '', StateValue = '' }) => [AlarmName, StateValue]));
}
