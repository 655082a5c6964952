import type { Service } from '@aws-sdk/client-ecs';
import type { ServicePolicy, Target } from '../../domain/policy.ts';
import type { Check } from '../../domain/verdict.ts';
import type { AwsClients } from '../aws.ts';
import type { EcsReader } from '../ecs/reader.ts';
import {
  isDeployed,
  isSettled,
  lossesOf,
  nameOf,
  primaryOf,
  primarySince,
  serviceState,
} from '../ecs/state.ts';
import { describeDeployments } from '../observation/revisions.ts';
import { strange } from './identity.ts';
import { checkPaused } from './paused-status.ts';
import { keepsItsTasks } from './scaling.ts';
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
  const problem =
    (await unsteady(reader, input.target, policy, service, wanted)) ??
    (await unlikeRelease(reader, input, policy, wanted));
  if (problem) return { name, passed: false, detail: problem };
  return { name, passed: true, detail: serviceState(policy.name, service).detail };
}

/** While somebody scales it a service has tasks too few or too many, and is steady all the same. */
async function unsteady(
  reader: EcsReader,
  target: Target,
  policy: ServicePolicy,
  service: Service | undefined,
  wanted: string | undefined,
): Promise<string | undefined> {
  if (!service) return `there is no ECS service ${policy.ecsService}`;
  const primary = primaryOf(service);
  if (primary === undefined || primary !== wanted)
    return `it runs ${nameOf(primary)}, not the release's ${nameOf(wanted)}: somebody else deployed`;
  if (isSettled(service)) return undefined;
  const since = primarySince(service) ?? 0;
  const release = { taskDefinition: primary, since };
  const scales = isScaling(service) && (await keepsItsTasks(reader, target, policy.ecsService, release));
  return scales ? undefined : serviceState(policy.name, service).detail;
}

/** One finished deployment, whose tasks are on the way to another number. */
function isScaling(service: Service): boolean {
  const { desiredCount = 0, runningCount = 0, pendingCount = 0 } = service;
  return isDeployed(service) && runningCount > 0 && runningCount + pendingCount >= desiredCount;
}

async function unlikeRelease(
  reader: EcsReader,
  { target, manifest }: VerificationInput,
  { name, container, ecsService }: ServicePolicy,
  wanted: string | undefined,
): Promise<string | undefined> {
  const image = manifest.images[name];
  if (!image) return `the release has no image of ${name}`;
  const tasks = await reader.runningTasks(target, ecsService);
  return strange(tasks, wanted, new Map([[container, image]]));
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
