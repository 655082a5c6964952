import type { Service } from '@aws-sdk/client-ecs';
import type { ServicePolicy } from '../../domain/policy.ts';
import type { Check } from '../../domain/verdict.ts';
import type { AwsClients } from '../aws.ts';
import type { EcsReader } from '../ecs/reader.ts';
import { identify, isSettled, lossesOf, nameOf, primaryOf, serviceState } from '../ecs/state.ts';
import { describeDeployments } from '../observation/revisions.ts';
import { checkPaused } from './paused-status.ts';
import type { VerificationInput } from './types.ts';

interface Deps {
  readonly aws: AwsClients;
  readonly reader: EcsReader;
}

/**
 * Every service steady on its task definition, its running tasks on the release's image; one that is paused has all of the
 * traffic on the release, and its old tasks may run.
 */
export async function checkServiceStatus({ aws, reader }: Deps, input: VerificationInput): Promise<Check[]> {
  const { target, services, paused = [] } = input;
  const names = services.map(({ ecsService }) => ecsService);
  const arns = paused.flatMap(({ serviceDeploymentArn }) => serviceDeploymentArn ?? []);
  const [found, deployments] = await Promise.all([
    reader.services(target, names),
    describeDeployments(aws.clientsFor(target), arns),
  ]);
  return Promise.all(
    services.map((policy) => {
      const service = found.get(policy.ecsService);
      const rollout = paused.find((each) => each.service === policy.name);
      if (!rollout) return checkOne(reader, input, policy, service);
      const deployment = deployments.get(rollout.serviceDeploymentArn ?? '');
      return checkPaused(reader, input, { policy, service, rollout, deployment });
    }),
  );
}

async function checkOne(
  reader: EcsReader,
  input: VerificationInput,
  policy: ServicePolicy,
  service: Service | undefined,
): Promise<Check> {
  const name = `service ${policy.name}`;
  const wanted = input.taskDefinitions[policy.name];
  const problem = unsteady(policy, service, wanted) ?? (await strange(reader, input, policy, wanted));
  if (problem) return { name, passed: false, detail: problem };
  return { name, passed: true, detail: serviceState(policy.name, service).detail };
}

function unsteady(
  policy: ServicePolicy,
  service: Service | undefined,
  wanted: string | undefined,
): string | undefined {
  if (!service) return `there is no ECS service ${policy.ecsService}`;
  const primary = primaryOf(service);
  if (primary !== wanted)
    return `it runs ${nameOf(primary)}, not the release's ${nameOf(wanted)}: somebody else deployed`;
  return isSettled(service) ? undefined : serviceState(policy.name, service).detail;
}

async function strange(
  reader: EcsReader,
  { target, manifest }: VerificationInput,
  { name, container, ecsService }: ServicePolicy,
  wanted: string | undefined,
): Promise<string | undefined> {
  const image = manifest.images[name];
  if (!image) return `the release has no image of ${name}`;
  const tasks = await reader.runningTasks(target, ecsService);
  const { strangers, unidentified } = identify(tasks, wanted, new Map([[container, image]]));
  if (strangers.length > 0) return strangers.join('; ');
  return unidentified > 0 ? `ECS does not tell yet which image ${unidentified} of its tasks run` : undefined;
}

/** One failing check for each service that lost more tasks of the release since `since` than `allowed`. */
export async function checkDeaths(
  reader: EcsReader,
  { target, services, taskDefinitions }: VerificationInput,
  since: Date,
  allowed: number,
): Promise<Check[]> {
  const checks = services.map(async ({ name, ecsService }): Promise<Check[]> => {
    const stopped = await reader.stoppedTasks(target, ecsService);
    const { deaths, stoppedReasons } = lossesOf(stopped, taskDefinitions[name] ?? '', since.getTime());
    if (deaths <= allowed) return [];
    const detail = `${deaths} of its tasks died, ${allowed} are allowed. ${stoppedReasons.join('; ')}`;
    return [{ name: `tasks of ${name}`, passed: false, detail }];
  });
  return (await Promise.all(checks)).flat();
}
