import {
  DescribeTaskDefinitionCommand,
  ListTaskDefinitionsCommand,
  RegisterTaskDefinitionCommand,
} from '@aws-sdk/client-ecs';
import type { RegisterTaskDefinitionCommandInput, Tag } from '@aws-sdk/client-ecs';
import { ApplicationFailure } from '@temporalio/common';
import { digestOf } from '../../domain/digest.ts';
import type { ServicePolicy } from '../../domain/policy.ts';
import type { TaskDefinition } from '../../domain/task-definition.ts';
import type { TargetClients } from '../aws.ts';
import type { AssertHolder, LockProof } from '../lock.ts';
import { renderService, templateOf } from './render.ts';
import type { RenderDeps, RenderInput } from './render.ts';

/** Holds the SHA-256 of the task definition as rendered. */
const CONTENT_TAG = 'slipway:content';
/** How many of the family's newest revisions are compared. A match further back costs one more revision, no harm. */
const LOOK_BACK = 20;

/** Registers the service's task definition, or finds the revision with the same content. @returns its ARN */
export async function registerTaskDefinition(
  deps: RenderDeps & { readonly assertHolder: AssertHolder },
  input: RenderInput & { service: ServicePolicy; lock: LockProof },
): Promise<string> {
  const definition = await renderWhole(deps, input);
  const content = digestOf(definition);
  const clients = deps.aws.clientsFor(input.target);
  const existing = await findByContent(clients, definition.family, content);
  if (existing) return existing;
  await deps.assertHolder(input.lock);
  const { version, commit } = input.manifest;
  const tags = [
    ...ownTags(definition),
    { key: CONTENT_TAG, value: content },
    { key: 'slipway:version', value: version },
    { key: 'slipway:commit', value: commit },
  ];
  const registered = await clients.ecs.send(new RegisterTaskDefinitionCommand(toRequest(definition, tags)));
  const arn = registered.taskDefinition?.taskDefinitionArn;
  if (!arn) throw new Error(`RegisterTaskDefinition answered without an ARN for ${definition.family}`);
  return arn;
}

async function renderWhole(
  deps: RenderDeps,
  input: RenderInput & { service: ServicePolicy },
): Promise<TaskDefinition> {
  const rendered = await renderService(deps, input, input.service);
  const what = templateOf(input.service, input.target);
  if (rendered.problems.length > 0 || rendered.kind === 'invalid')
    throw ApplicationFailure.nonRetryable(
      `The ${what} can't be registered: ${rendered.problems.join('; ')}. Correct it in a new commit.`,
      'TaskDefinitionInvalid',
      { service: input.service.name, problems: rendered.problems },
    );
  if (rendered.missingOutputs.length > 0)
    throw ApplicationFailure.nonRetryable(
      `The ${what} needs Terraform outputs that there are not: ${rendered.missingOutputs.join(', ')}. Declare them as outputs that are not sensitive, or correct the names.`,
      'OutputMissing',
      { service: input.service.name, outputs: rendered.missingOutputs },
    );
  return rendered.definition;
}

async function findByContent(
  { ecs }: TargetClients,
  family: string,
  content: string,
): Promise<string | undefined> {
  const { taskDefinitionArns = [] } = await ecs.send(
    new ListTaskDefinitionsCommand({
      familyPrefix: family,
      status: 'ACTIVE',
      sort: 'DESC',
      maxResults: LOOK_BACK,
    }),
  );
  for (const arn of taskDefinitionArns) {
    const { tags = [] } = await ecs.send(
      new DescribeTaskDefinitionCommand({ taskDefinition: arn, include: ['TAGS'] }),
    );
    if (tags.some(({ key, value }) => key === CONTENT_TAG && value === content)) return arn;
  }
  return undefined;
}

function ownTags({ tags }: TaskDefinition): Tag[] {
  return Array.isArray(tags) ? tags : [];
}

/** The template holds RegisterTaskDefinition's own fields (its field names are checked); AWS validates their values. */
function toRequest(definition: TaskDefinition, tags: Tag[]): RegisterTaskDefinitionCommandInput {
  const request: unknown = { ...definition, tags };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
  return request as RegisterTaskDefinitionCommandInput;
}
