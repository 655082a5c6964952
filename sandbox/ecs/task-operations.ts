import type {
  DescribeTasksRequest,
  ListTasksRequest,
  RunTaskRequest,
  StopTaskRequest,
} from '@aws-sdk/client-ecs';
import type { Given } from '../protocol/given.ts';
import { pageOf } from '../protocol/page.ts';
import { AwsError } from '../protocol/service.ts';
import { badToken, PAGE } from './clusters.ts';
import { activeCluster, arn, invalid, nowIso, shortName } from './context.ts';
import type { EcsContext } from './context.ts';
import type { TaskDefinitionRecord, TaskRecord } from './records.ts';
import { checkLaunchType } from './service-rules.ts';
import { checkTags, managedTags, tagsOf } from './tags.ts';
import { usableDefinition } from './task-definitions.ts';
import { endTask, forgetOldTasks, startTask } from './tasks.ts';

const MOST_DESCRIBED = 100;
const MOST_STARTED = 10;

type RunInput = Given<RunTaskRequest, 'taskDefinition'>;

export function runTask(ecs: EcsContext) {
  return (input: RunInput): unknown => {
    const { count = 1, clientToken } = input;
    const cluster = activeCluster(ecs, input.cluster);
    const definition = usableDefinition(ecs, input.taskDefinition);
    checkRun(input, definition);
    const request = JSON.stringify({ ...input, taskDefinition: definition.taskDefinitionArn });
    const earlier = clientToken === undefined ? undefined : earlierRun(ecs, clientToken, request);
    if (earlier) return { tasks: earlier, failures: [] };
    const tags = input.propagateTags === 'TASK_DEFINITION' ? tagsOf(ecs, definition.taskDefinitionArn) : [];
    const managed = input.enableECSManagedTags === true ? managedTags(cluster.clusterName) : [];
    const tasks = Array.from({ length: count }, () =>
      startTask(ecs, {
        clusterArn: cluster.clusterArn,
        definition,
        group: input.group ?? `family:${definition.family}`,
        launchType: input.launchType ?? 'EC2',
        tags: [...managed, ...tags, ...(input.tags ?? [])],
        ...(input.startedBy === undefined ? {} : { startedBy: input.startedBy }),
        ...(input.overrides ? { overrides: input.overrides } : {}),
        ...(input.platformVersion === undefined ? {} : { platformVersion: input.platformVersion }),
      }),
    );
    if (clientToken !== undefined) {
      const taskArns = tasks.map(({ taskArn }) => taskArn);
      ecs.tables.clientTokens.set(clientToken, { request, taskArns, at: nowIso(ecs) });
    }
    return { tasks: tasks.map((task) => ({ ...task, tags: tagsOf(ecs, task.taskArn) })), failures: [] };
  };
}

function checkRun(input: RunInput, definition: TaskDefinitionRecord): void {
  const { count = 1, overrides, clientToken = '' } = input;
  if (count < 1 || count > MOST_STARTED) throw invalid(`count must be between 1 and ${MOST_STARTED}.`);
  if (!/^[\x21-\x7e]{0,64}$/.test(clientToken))
    throw invalid('clientToken must be at most 64 printable characters.');
  checkTags(input.tags ?? []);
  checkLaunchType(input.launchType, definition);
  const names = new Set((definition.containerDefinitions ?? []).map(({ name }) => name));
  for (const { name } of overrides?.containerOverrides ?? []) {
    if (!names.has(name)) {
      throw invalid(`Override for container named ${name} is not a container in the TaskDefinition.`);
    }
  }
  if (definition.networkMode === 'awsvpc' && !input.networkConfiguration) {
    throw invalid("Network Configuration must be provided when networkMode 'awsvpc' is specified.");
  }
}

/** How long a client token stands for its tasks: 24 hours. */
const TOKEN_MS = 24 * 60 * 60 * 1000;

/** @throws AwsError ConflictException when the token was used for something else */
function earlierRun(ecs: EcsContext, clientToken: string, request: string): TaskRecord[] | undefined {
  const known = ecs.tables.clientTokens.get(clientToken);
  if (!known || Date.parse(known.at) < ecs.clock.now() - TOKEN_MS) return undefined;
  if (known.request !== request) {
    throw new AwsError('ConflictException', 'The clientToken was used with other parameters.', {
      fields: { resourceIds: known.taskArns },
    });
  }
  return known.taskArns.flatMap((taskArn) => ecs.tables.tasks.get(taskArn) ?? []);
}

export function stopTask(ecs: EcsContext) {
  return (input: Given<StopTaskRequest, 'task'>): unknown => {
    const { clusterName } = activeCluster(ecs, input.cluster);
    const task = ecs.tables.tasks.get(arn(ecs, `task/${clusterName}/${shortName(input.task)}`));
    if (!task) throw invalid('The referenced task was not found.');
    if ((input.reason ?? '').length > 1024) throw invalid('reason must be at most 1024 characters.');
    endTask(ecs, task, { code: 'UserInitiated', reason: input.reason ?? 'Task stopped by user' });
    return { task: ecs.tables.tasks.get(task.taskArn) };
  };
}

export function describeTasks(ecs: EcsContext) {
  return (input: Given<DescribeTasksRequest, 'tasks'>): unknown => {
    const { clusterName } = activeCluster(ecs, input.cluster);
    if (input.tasks.length === 0) throw invalid('Tasks cannot be empty.');
    if (input.tasks.length > MOST_DESCRIBED)
      throw invalid(`Tasks cannot have more than ${MOST_DESCRIBED} elements.`);
    forgetOldTasks(ecs);
    const withTags = input.include?.includes('TAGS') ?? false;
    const asked = input.tasks.map((id) => {
      const taskArn = arn(ecs, `task/${clusterName}/${shortName(id)}`);
      return { taskArn, task: ecs.tables.tasks.get(taskArn) };
    });
    return {
      tasks: asked.flatMap(({ task }) =>
        task ? [{ ...task, tags: withTags ? tagsOf(ecs, task.taskArn) : [] }] : [],
      ),
      failures: asked.flatMap(({ taskArn, task }) => (task ? [] : [{ arn: taskArn, reason: 'MISSING' }])),
    };
  };
}

export function listTasks(ecs: EcsContext) {
  return (input: ListTasksRequest): unknown => {
    const { clusterArn } = activeCluster(ecs, input.cluster);
    forgetOldTasks(ecs);
    const desired = input.desiredStatus ?? 'RUNNING';
    const service = input.serviceName === undefined ? undefined : shortName(input.serviceName);
    const family = input.family === undefined ? undefined : `${input.family}:`;
    const found = ecs.tables.tasks
      .values()
      .filter(
        (task) =>
          task.clusterArn === clusterArn &&
          // Tasks that are desired to be PENDING don't exist: ECS only ever sets RUNNING or STOPPED.
          task.desiredStatus === desired &&
          (service === undefined || task.group === `service:${service}`) &&
          (family === undefined || shortName(task.taskDefinitionArn).startsWith(family)) &&
          (input.startedBy === undefined || task.startedBy === input.startedBy) &&
          (input.launchType === undefined || task.launchType === input.launchType) &&
          input.containerInstance === undefined,
      )
      .map(({ taskArn }) => taskArn);
    const size = Math.min(input.maxResults ?? PAGE, PAGE);
    const { items, next } = pageOf(found, size, input.nextToken, badToken);
    return { taskArns: items, nextToken: next };
  };
}
