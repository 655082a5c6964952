import type { Service, ServiceDeployment, Task } from '@aws-sdk/client-ecs';
import type { ServicePolicy } from '../../domain/policy.ts';
import type { Check } from '../../domain/verdict.ts';
import type { EcsReader } from '../ecs/reader.ts';
import { identify, nameOf } from '../ecs/state.ts';
import type { Rollout } from '../ecs/types.ts';
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
 * service is to have. The old revision's tasks are expected beside them.
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
  const wrong = wrongTasks(paused, tasks, new Map([[container, image]]));
  if (wrong) return { name: check, passed: false, detail: wrong };
  return { name: check, passed: true, detail: `${shown(paused, tasks)}, with all of the traffic` };
}

function notPaused({ policy, service, rollout, deployment }: Paused): string | undefined {
  if (!service) return `there is no ECS service ${policy.ecsService}`;
  if (!deployment) return `ECS no longer knows the service deployment ${rollout.serviceDeploymentArn}`;
  const { status, statusReason, targetServiceRevision } = deployment;
  if (status !== 'IN_PROGRESS')
    return `its canary no longer waits: ECS has it as ${status}${statusReason ? `: ${statusReason}` : ''}`;
  const weight = targetServiceRevision?.requestedProductionTrafficWeight ?? 0;
  return weight === 100 ? undefined : `the release has ${weight} % of the traffic, not all of it`;
}

function wrongTasks(
  paused: Paused,
  tasks: readonly Task[],
  digests: ReadonlyMap<string, string>,
): string | undefined {
  const { taskDefinition } = paused.rollout;
  const ours = tasks.filter((task) => task.taskDefinitionArn === taskDefinition);
  const { strangers, unidentified } = identify(ours, taskDefinition, digests);
  if (strangers.length > 0) return strangers.join('; ');
  if (running(ours).length !== paused.service?.desiredCount) return shown(paused, tasks);
  return unidentified > 0 ? `ECS does not tell yet which image ${unidentified} of its tasks run` : undefined;
}

function shown({ service, rollout: { taskDefinition } }: Paused, tasks: readonly Task[]): string {
  const [ours, others] = [true, false].map(
    (own) => running(tasks).filter((task) => (task.taskDefinitionArn === taskDefinition) === own).length,
  );
  return `${ours} of ${service?.desiredCount} tasks run ${nameOf(taskDefinition)} beside ${others} of the old version`;
}

function running(tasks: readonly Task[]): Task[] {
  return tasks.filter(({ lastStatus }) => lastStatus === 'RUNNING');
}
