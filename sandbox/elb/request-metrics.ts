import type { MetricRecorder } from '../cloudwatch/recorder.ts';
import { loadBalancerDimension, targetGroupDimension } from './arns.ts';
import type { Outcome } from './forward.ts';

const NAMESPACE = 'AWS/ApplicationELB';

/**
 * What CloudWatch counts of a load balancer's requests. Dimensions are as AWS publishes them (without the
 * Availability Zone): all of a load balancer, and per target group within it. What has no target group has the first only.
 */
export interface RequestMetrics {
  /**
   * A request for which a target was chosen.
   * @param answered the status that the client got
   * @param targets how many of the group's targets share its requests
   */
  forwarded(targetGroupArn: string, outcome: Outcome, answered: number, targets: number): void;
  /** A request that the load balancer answered without a target. @param status what it answered */
  own(kind: 'error' | 'fixed' | 'redirect', status: number): void;
}

export function createRequestMetrics(recorder: MetricRecorder, loadBalancerArn: string): RequestMetrics {
  const all = { LoadBalancer: loadBalancerDimension(loadBalancerArn) };
  const record = (name: string, value: number, of: readonly Record<string, string>[]): void => {
    for (const dimensions of of) {
      recorder.record({ namespace: NAMESPACE, name, dimensions, value, unit: 'Count' });
    }
  };
  const count = (name: string, ...of: Record<string, string>[]): void => record(name, 1, of);
  const ownError = (status: number): void => {
    count(`HTTPCode_ELB_${Math.floor(status / 100)}XX_Count`, all);
    if (status >= 500) count(`HTTPCode_ELB_${status}_Count`, all);
  };
  return {
    forwarded(targetGroupArn, outcome, answered, targets) {
      const TargetGroup = targetGroupDimension(targetGroupArn);
      const group = { TargetGroup, ...all };
      count('RequestCount', all, group);
      record('RequestCountPerTarget', 1 / targets, [{ TargetGroup }, group]);
      if (outcome.kind === 'refused') count('TargetConnectionErrorCount', all, group);
      if (outcome.kind !== 'answered') return ownError(answered);
      count(`HTTPCode_Target_${Math.floor(outcome.status / 100)}XX_Count`, all, group);
      for (const dimensions of [all, group]) {
        const value = outcome.seconds;
        recorder.record({
          namespace: NAMESPACE,
          name: 'TargetResponseTime',
          dimensions,
          value,
          unit: 'Seconds',
        });
      }
    },
    own(kind, status) {
      if (kind === 'error') ownError(status);
      if (kind === 'fixed') count('HTTP_Fixed_Response_Count', all);
      if (kind === 'redirect') count('HTTP_Redirect_Count', all);
    },
  };
}

/** HealthyHostCount and UnHealthyHostCount of a target group, as they are now. */
export function recordHosts(
  recorder: MetricRecorder,
  loadBalancerArn: string,
  targetGroupArn: string,
  states: readonly string[],
): void {
  const dimensions = {
    TargetGroup: targetGroupDimension(targetGroupArn),
    LoadBalancer: loadBalancerDimension(loadBalancerArn),
  };
  const healthy = states.filter((state) => state === 'healthy').length;
  const unhealthy = states.filter((state) => state === 'unhealthy').length;
  recorder.record({
    namespace: NAMESPACE,
    name: 'HealthyHostCount',
    dimensions,
    value: healthy,
    unit: 'Count',
  });
  recorder.record({
    namespace: NAMESPACE,
    name: 'UnHealthyHostCount',
    dimensions,
    value: unhealthy,
    unit: 'Count',
  });
}
