import type { Service } from '@aws-sdk/client-ecs';
import type { ServicePolicy, Target } from '../../domain/policy.ts';
import type { AwsClients } from '../aws.ts';
import type { EcsReader } from '../ecs/reader.ts';
import { nameOf } from '../ecs/state.ts';
import type { Rollout } from '../ecs/types.ts';
import {
  describeDeployments,
  describeRevisions,
  groupArns,
  servingGroups,
} from '../observation/revisions.ts';
import type { Subject } from './samples.ts';
import type { VerificationInput } from './types.ts';

interface Deps {
  readonly aws: AwsClients;
  readonly reader: EcsReader;
}

/** A service, with the revisions whose target groups count. */
interface Found {
  readonly policy: ServicePolicy;
  readonly service: Service;
  readonly revisions: readonly string[];
  readonly paused?: Rollout;
}

/** The services that there are, each with the target groups of the release and, where the old tasks run too, its tasks. */
export async function subjectsOf(deps: Deps, input: VerificationInput): Promise<Subject[]> {
  const { target } = input;
  const clients = deps.aws.clientsFor(target);
  const found = await findServices(deps, input);
  const revisions = await describeRevisions(
    clients,
    found.flatMap((each) => each.revisions),
  );
  return Promise.all(
    found.map(async (each) => {
      const { name, ecsService } = each.policy;
      const serving = [...new Set(each.revisions.flatMap((arn) => servingGroups(revisions.get(arn))))];
      if (each.paused) {
        const tasks = await tasksOf(deps.reader, target, ecsService, each.paused);
        return { name, ecsService, targetGroups: serving, tasks };
      }
      const targetGroups = serving.length > 0 ? serving : groupArns(each.service.loadBalancers);
      return { name, ecsService, targetGroups };
    }),
  );
}

async function findServices(
  { aws, reader }: Deps,
  { target, services, paused = [] }: VerificationInput,
): Promise<Found[]> {
  const names = services.map(({ ecsService }) => ecsService);
  const arns = paused.flatMap(({ serviceDeploymentArn }) => serviceDeploymentArn ?? []);
  const [known, deployments] = await Promise.all([
    reader.services(target, names),
    describeDeployments(aws.clientsFor(target), arns),
  ]);
  return services.flatMap((policy): Found[] => {
    const service = known.get(policy.ecsService);
    if (!service) return [];
    const rollout = paused.find((each) => each.service === policy.name);
    if (!rollout) return [{ policy, service, revisions: currentRevisions(service) }];
    const shifted = deployments.get(rollout.serviceDeploymentArn ?? '')?.targetServiceRevision?.arn;
    return [{ policy, service, revisions: shifted ? [shifted] : [], paused: rollout }];
  });
}

/** Only of a service behind a load balancer: what has none needs no looking up. */
function currentRevisions({ loadBalancers = [], currentServiceRevisions = [] }: Service): string[] {
  return loadBalancers.length === 0 ? [] : currentServiceRevisions.flatMap(({ arn }) => arn ?? []);
}

async function tasksOf(
  reader: EcsReader,
  target: Target,
  ecsService: string,
  { taskDefinition }: Rollout,
): Promise<string[]> {
  const tasks = await reader.runningTasks(target, ecsService);
  return tasks
    .filter(({ taskDefinitionArn }) => taskDefinitionArn === taskDefinition)
    .map(({ taskArn }) => nameOf(taskArn));
}
