import type {
  DeregisterTaskDefinitionRequest,
  DescribeTaskDefinitionRequest,
  ListTaskDefinitionFamiliesRequest,
  ListTaskDefinitionsRequest,
  RegisterTaskDefinitionRequest,
} from '@aws-sdk/client-ecs';
import type { Given } from '../protocol/given.ts';
import { pageOf } from '../protocol/page.ts';
import type { RequestContext } from '../protocol/service.ts';
import { badToken, PAGE } from './clusters.ts';
import { arn, clientError, invalid, nowIso, shortName } from './context.ts';
import type { EcsContext } from './context.ts';
import type { TaskDefinitionRecord } from './records.ts';
import { checkTags, tagsOf, writeTags } from './tags.ts';
import { checkTaskDefinition } from './task-definition-rules.ts';

type RegisterInput = Given<RegisterTaskDefinitionRequest, 'family' | 'containerDefinitions'>;

export function registerTaskDefinition(ecs: EcsContext) {
  return ({ tags = [], ...input }: RegisterInput, request: RequestContext): unknown => {
    checkTaskDefinition(input);
    checkTags(tags);
    const revision = (ecs.tables.families.get(input.family) ?? 0) + 1;
    ecs.tables.families.set(input.family, revision);
    const name = `${input.family}:${revision}`;
    const definition: TaskDefinitionRecord = {
      ...input,
      taskDefinitionArn: arn(ecs, `task-definition/${name}`),
      revision,
      status: 'ACTIVE',
      containerDefinitions: input.containerDefinitions.map((container) => ({
        ...container,
        cpu: container.cpu ?? 0,
        essential: container.essential ?? true,
        environment: container.environment ?? [],
        mountPoints: container.mountPoints ?? [],
        volumesFrom: container.volumesFrom ?? [],
        portMappings: (container.portMappings ?? []).map((mapping) => ({ protocol: 'tcp', ...mapping })),
      })),
      volumes: input.volumes ?? [],
      placementConstraints: input.placementConstraints ?? [],
      compatibilities: input.requiresCompatibilities?.includes('FARGATE') ? ['EC2', 'FARGATE'] : ['EC2'],
      registeredAt: nowIso(ecs),
      registeredBy: `arn:aws:iam::${request.accountId}:root`,
    };
    ecs.tables.taskDefinitions.set(name, definition);
    writeTags(ecs, definition.taskDefinitionArn, tags);
    return { taskDefinition: definition, tags };
  };
}

export function describeTaskDefinition(ecs: EcsContext) {
  return ({
    taskDefinition,
    include = [],
  }: Given<DescribeTaskDefinitionRequest, 'taskDefinition'>): unknown => {
    const found = findDefinition(ecs, taskDefinition);
    if (!found) throw clientError('Unable to describe task definition.');
    return {
      taskDefinition: found,
      ...(include.includes('TAGS') ? { tags: tagsOf(ecs, found.taskDefinitionArn) } : {}),
    };
  };
}

export function deregisterTaskDefinition(ecs: EcsContext) {
  return ({ taskDefinition }: Given<DeregisterTaskDefinitionRequest, 'taskDefinition'>): unknown => {
    if (!/:\d+$/.test(taskDefinition)) throw invalid('Invalid revision number. Number: null');
    const found = findDefinition(ecs, taskDefinition);
    if (!found) throw clientError('The specified task definition does not exist.');
    const inactive: TaskDefinitionRecord =
      found.status === 'INACTIVE' ? found : { ...found, status: 'INACTIVE', deregisteredAt: nowIso(ecs) };
    ecs.tables.taskDefinitions.set(shortName(found.taskDefinitionArn), inactive);
    return { taskDefinition: inactive };
  };
}

export function listTaskDefinitions(ecs: EcsContext) {
  return (input: ListTaskDefinitionsRequest): unknown => {
    const { familyPrefix, status = 'ACTIVE', sort = 'ASC', maxResults = PAGE, nextToken } = input;
    const found = ecs.tables.taskDefinitions
      .values()
      .filter(
        (each) => each.status === status && (familyPrefix === undefined || each.family === familyPrefix),
      )
      .toSorted((a, b) => a.family.localeCompare(b.family) || a.revision - b.revision)
      .map(({ taskDefinitionArn }) => taskDefinitionArn);
    const ordered = sort === 'DESC' ? found.toReversed() : found;
    const { items, next } = pageOf(ordered, Math.min(maxResults, PAGE), nextToken, badToken);
    return { taskDefinitionArns: items, nextToken: next };
  };
}

/** A family is ACTIVE while any of its revisions is. */
export function listTaskDefinitionFamilies(ecs: EcsContext) {
  return (input: ListTaskDefinitionFamiliesRequest): unknown => {
    const { familyPrefix = '', status = 'ALL', maxResults = PAGE, nextToken } = input;
    const active = new Map<string, boolean>();
    for (const each of ecs.tables.taskDefinitions.values()) {
      active.set(each.family, (active.get(each.family) ?? false) || each.status === 'ACTIVE');
    }
    const families = [...active]
      .filter(([family, isActive]) => family.startsWith(familyPrefix) && matches(status, isActive))
      .map(([family]) => family)
      .toSorted();
    const { items, next } = pageOf(families, Math.min(maxResults, PAGE), nextToken, badToken);
    return { families: items, nextToken: next };
  };
}

function matches(status: string, isActive: boolean): boolean {
  return status === 'ALL' || (status === 'ACTIVE') === isActive;
}

/** By ARN, `family:revision`, or `family` for its latest ACTIVE revision. */
function findDefinition(ecs: EcsContext, reference: string): TaskDefinitionRecord | undefined {
  const name = shortName(reference);
  if (reference.startsWith('arn:') && !reference.startsWith(arn(ecs, 'task-definition/'))) return undefined;
  if (/:\d+$/.test(name)) return ecs.tables.taskDefinitions.get(name);
  return ecs.tables.taskDefinitions
    .values()
    .filter(({ family, status }) => family === name && status === 'ACTIVE')
    .reduce<TaskDefinitionRecord | undefined>(
      (latest, each) => (latest && latest.revision > each.revision ? latest : each),
      undefined,
    );
}

/** A definition that new tasks may run. @throws AwsError ClientException */
export function usableDefinition(ecs: EcsContext, reference: string | undefined): TaskDefinitionRecord {
  if (reference === undefined || reference === '') throw invalid('TaskDefinition can not be blank.');
  const found = findDefinition(ecs, reference);
  if (!found) throw clientError('TaskDefinition not found.');
  if (found.status !== 'ACTIVE') throw clientError('TaskDefinition is inactive');
  return found;
}
