import { judgeService, sampleWindow } from '../../domain/metrics.ts';
import type { MetricPolicy } from '../../domain/policy.ts';
import type { MetricJudgement } from '../../domain/verdict.ts';
import type { AwsClients } from '../aws.ts';
import type { EcsReader } from '../ecs/reader.ts';
import { readSamples } from './samples.ts';
import { subjectsOf } from './subjects.ts';
import type { VerificationInput } from './types.ts';

/** Judges every service's metrics over the policy's window, which begins no earlier than `since`. */
export async function judgeMetrics(
  deps: { readonly aws: AwsClients; readonly reader: EcsReader },
  input: VerificationInput & { metrics: MetricPolicy; since: string },
): Promise<MetricJudgement[]> {
  const { target, services, metrics } = input;
  const window = sampleWindow(metrics, new Date(input.since), new Date());
  const subjects = await subjectsOf(deps, input);
  const samples = await readSamples(deps.aws.clientsFor(target), target, subjects, metrics, window);
  return services.flatMap(({ name }) =>
    judgeService(name, samples.get(name) ?? { cpu: [], memory: [] }, metrics),
  );
}
