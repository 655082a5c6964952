import { StopTaskCommand } from '@aws-sdk/client-ecs';
import { CLUSTER, until } from '../../sandbox/ecs/world.ts';
import type { World } from '../../sandbox/ecs/world.ts';

/** From now on the service's new tasks stay PENDING. @returns how to let them start */
export async function neverStarting({ sandbox }: World, service: string): Promise<() => Promise<void>> {
  const body = JSON.stringify({ fault: 'taskNeverStarts', tasks: { service } });
  const response = await fetch(`${sandbox.url}/_sandbox/faults`, { method: 'POST', body });
  const { id } = (await response.json()) as { id: string };
  return async () => {
    await fetch(`${sandbox.url}/_sandbox/faults/${id}`, { method: 'DELETE' });
  };
}

/** Stops one of the task definition's running tasks, as a person does. */
export async function stopOne(world: World, taskDefinition: string): Promise<void> {
  const ours = async () =>
    (await world.tasks('RUNNING')).filter(
      ({ taskDefinitionArn, lastStatus }) => taskDefinitionArn === taskDefinition && lastStatus === 'RUNNING',
    );
  const [one, ...others] = await ours();
  await world.ecs.send(new StopTaskCommand({ cluster: CLUSTER, task: one?.taskArn }));
  await until(ours, (left) => left.length === others.length);
}
