import { DescribeServiceDeploymentsCommand, DescribeServiceRevisionsCommand } from '@aws-sdk/client-ecs';
import type { ServiceDeployment, ServiceRevision } from '@aws-sdk/client-ecs';
import type { TargetClients } from '../aws.ts';
import { chunks } from '../ecs/batch.ts';

type Ecs = Pick<TargetClients, 'ecs'>;

/** ARNs of one DescribeServiceDeployments or DescribeServiceRevisions (their limit). */
const ARNS = 20;

/** Service deployments with their source and target revisions, by ARN; without those that ECS does not know. */
export async function describeDeployments(
  { ecs }: Ecs,
  arns: readonly string[],
): Promise<ReadonlyMap<string, ServiceDeployment>> {
  const found = await Promise.all(
    chunks(arns, ARNS).map((serviceDeploymentArns) =>
      ecs.send(new DescribeServiceDeploymentsCommand({ serviceDeploymentArns })),
    ),
  );
  const all = found.flatMap(({ serviceDeployments = [] }) => serviceDeployments);
  return new Map(all.map((each) => [each.serviceDeploymentArn ?? '', each]));
}

/** By ARN; without those that ECS does not know. */
export async function describeRevisions(
  { ecs }: Ecs,
  arns: readonly string[],
): Promise<ReadonlyMap<string, ServiceRevision>> {
  const found = await Promise.all(
    chunks([...new Set(arns)], ARNS).map((serviceRevisionArns) =>
      ecs.send(new DescribeServiceRevisionsCommand({ serviceRevisionArns })),
    ),
  );
  const all = found.flatMap(({ serviceRevisions = [] }) => serviceRevisions);
  return new Map(all.map((each) => [each.serviceRevisionArn ?? '', each]));
}

/** ARNs of the target groups that the revision's tasks are really in: a service's groups may alternate. */
export function servingGroups(revision: ServiceRevision | undefined): string[] {
  return groupArns(revision?.resolvedConfiguration?.loadBalancers);
}

/** ARNs of the target groups that a service or a revision was given. */
export function groupArns(
  loadBalancers: readonly { readonly targetGroupArn?: string | undefined }[] = [],
): string[] {
  return [...new Set(loadBalancers.flatMap(({ targetGroupArn }) => targetGroupArn ?? []))];
}
