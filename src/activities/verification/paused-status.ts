import type { Service, ServiceDeployment, Task } from '@aws-sdk/client-ecs';
import type { ServicePolicy, Target } from '../../domain/policy.ts';
import type { Check } from '../../domain/verdict.ts';
import type { EcsReader } from '../ecs/reader.ts';
import { nameOf, trafficWeight } from '../ecs/state.ts';
import type { Rollout } from '../ecs/types.ts';
import { running, strange } from './identity.ts';
import { keepsItsTasks } from './scaling.ts';
import type { VerificationInput } from './types.ts';

/** A canary that should wait at its last pause. */
interface Paused {
  readonly policy: ServicePolicy;
  readonly rollout: Rollout;
  /** As ECS has them; `undefined` when it has none. */
  readonly service: Service | undefined;
  readonly deployment: ServiceDeployment | undefined;
}

/**
 * The deployment that we started is still under way with all of the traffic, on as many running tasks of the release as the
 * service is to have, or on its way there when it is scaled. The old revision's tasks are expected beside them.
 */
export async function checkPaused(
  reader: EcsReader,
  { target, manifest }: Pick<VerificationInput, 'target' | 'manifest'>,
  paused: Paused,
): Promise<Check> {
  const { name, container, ecsService } = paused.policy;
  const check = `service ${name}`;
  const problem = notPaused(paused);
  if (problem) return { name: check, passed: false, detail: problem };
  const image = manifest.images[name];
  if (!image) return { name: check, passed: false, detail: `the release has no image of ${name}` };
  const tasks = await reader.runningTasks(target, ecsService);
  const ours = tasks.filter((task) => task.taskDefinitionArn === paused.rollout.taskDefinition);
  const wrong =
    strange(ours, paused.rollout.taskDefinition, new Map([[container, image]])) ??
    (await tooFew(reader, target, paused, ours));
  if (wrong) return { name: check, passed: false, detail: wrong };
  return { name: check, passed: true, detail: `${shown(paused, tasks)}, with all of the traffic` };
}

function notPaused({ policy, service, rollout, deployment }: Paused): string | undefined {
  if (!service) return `there is no ECS service ${policy.ecsService}`;
  if (!deployment) return `ECS no longer knows the service deployment ${rollout.serviceDeploymentArn}`;
  const { status, statusReason } = deployment;
  if (status !== 'IN_PROGRESS')
    return `its canary no longer waits: ECS has it as ${status}${statusReason ? `: ${statusReason}` : ''}`;
  const weight = trafficWeight(deployment) ?? 0;
  return weight === 100 ? undefined : `the release has ${weight} % of the traffic, not all of it`;
}

/** Tasks that are missing may be starting, when somebody scales the service. */
async function tooFew(
  reader: EcsReader,
  target: Target,
  { policy, rollout: { taskDefinition }, service, deployment }: Paused,
  ours: readonly Task[],
): Promise<string | undefined> {
  const { desiredCount = 0 } = service ?? {};
  const ready = running(ours).length;
  if (ready >= desiredCount) return undefined;
  const release = { taskDefinition, since: deployment?.createdAt?.getTime() ?? 0 };
  const scales =
    ready > 0 &&
    ours.length >= desiredCount &&
    (await keepsItsTasks(reader, target, policy.ecsService, release));
  return scales ? undefined : `${ready} of ${desiredCount} tasks run ${nameOf(taskDefinition)}`;
}

function shown({ service, rollout: { taskDefinition } }: Paused, tasks: readonly Task[]): string {
  const ready = running(tasks);
  const ours = ready.filter((task) => task.taskDefinitionArn === taskDefinition).length;
  const others = ready.length - ours;
  return `${ours} of ${service?.desiredCount} tasks run ${nameOf(taskDefinition)} beside ${others} of the old version`;
}
