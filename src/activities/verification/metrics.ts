import { judgeService, sampleWindow } from '../../domain/metrics.ts';
import type { MetricPolicy } from '../../domain/policy.ts';
import type { MetricJudgement } from '../../domain/verdict.ts';
import type { AwsClients } from '../aws.ts';
import type { EcsReader } from '../ecs/reader.ts';
import { readSamples } from './samples.ts';
import type { VerificationInput } from './types.ts';

/** Judges every service's metrics over the policy's window, which begins no earlier than `since`. */
export async function judgeMetrics(
  { aws, reader }: { readonly aws: AwsClients; readonly reader: EcsReader },
  input: VerificationInput & { metrics: MetricPolicy; since: string },
): Promise<MetricJudgement[]> {
  const { target, services, metrics } = input;
  const window = sampleWindow(metrics, new Date(input.since), new Date());
  const found = await reader.services(
    target,
    services.map(({ ecsService }) => ecsService),
  );
  const judged = services.map(async ({ name, ecsService }) => {
    const service = found.get(ecsService);
    const samples = service
      ? await readSamples(aws, target, service, metrics, window)
      : { cpu: [], memory: [] };
    return judgeService(name, samples, metrics);
  });
  return (await Promise.all(judged)).flat();
}
