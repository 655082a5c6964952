import type { Service, UpdateServiceCommandInput } from '@aws-sdk/client-ecs';
import type { AwsResource, Session } from '../clients.ts';
import { ProviderError } from '../plugin/diagnostics.ts';
import { flag, map, number, required, text } from '../plugin/value.ts';
import type { State } from '../plugin/value.ts';
import { changeTags, unless, until } from './common.ts';
import { serviceSchema } from './ecs-service-schema.ts';
import { fromService, toService } from './ecs-service-shape.ts';
import { lowerTags } from './ecs-tags.ts';

const GONE = ['ServiceNotFoundException', 'ClusterNotFoundException'];

export const ecsService: AwsResource = {
  schema: serviceSchema,
  name: (state) => text(state, 'name') ?? text(state, 'id') ?? '?',
  async create(plan, { clients }) {
    const ecs = await clients.ecs();
    const { service } = await ecs.createService({
      ...toService(plan),
      serviceName: required(plan, 'name'),
      launchType: text(plan, 'launch_type') as 'FARGATE' | undefined,
      schedulingStrategy: text(plan, 'scheduling_strategy') as 'REPLICA' | undefined,
      tags: lowerTags(map(plan, 'tags')),
    });
    return { id: service?.serviceArn ?? null, cluster: text(plan, 'cluster') ?? service?.clusterArn ?? null };
  },
  async finish(state, session) {
    if (flag(state, 'wait_for_steady_state') === true) await steady(state, session);
  },
  async read(state, session) {
    const found = await find(state, session);
    return found === undefined || found.status === 'INACTIVE' ? undefined : fromService(found, state);
  },
  async update(prior, plan, session) {
    const ecs = await session.clients.ecs();
    const service = required(prior, 'id');
    const changed = difference(toService(prior), toService(plan));
    if (Object.keys(changed).length > 0) {
      await ecs.updateService({ ...changed, cluster: text(prior, 'cluster'), service });
    }
    await changeTags(map(prior, 'tags'), map(plan, 'tags'), {
      add: (added) => ecs.tagResource({ resourceArn: service, tags: lowerTags(added) }),
      remove: (tagKeys) => ecs.untagResource({ resourceArn: service, tagKeys }),
    });
    if (flag(plan, 'wait_for_steady_state') === true) await steady(prior, session);
  },
  async delete(state, session) {
    const ecs = await session.clients.ecs();
    const service = required(state, 'id');
    const cluster = text(state, 'cluster');
    const found = await find(state, session);
    if (found === undefined || found.status === 'INACTIVE') return;
    if (found.status === 'ACTIVE' && text(state, 'scheduling_strategy') !== 'DAEMON') {
      await ecs.updateService({ cluster, service, desiredCount: 0 });
    }
    await unless(GONE, ecs.deleteService({ cluster, service, force: true }));
    await until(`${service} to be inactive`, session.signal, async () => {
      const { status = 'INACTIVE' } = (await find(state, session)) ?? {};
      return status === 'INACTIVE' ? status : undefined;
    });
  },
  import(given) {
    const [cluster, name, ...rest] = given.split('/');
    if (!cluster || !name || rest.length > 0) {
      throw new ProviderError('Invalid import id', `expected CLUSTER_NAME/SERVICE_NAME, got ${given}`);
    }
    return { id: name, cluster };
  },
};

async function find(state: State, { clients }: Session): Promise<Service | undefined> {
  const request = {
    cluster: text(state, 'cluster'),
    services: [required(state, 'id')],
    include: ['TAGS' as const],
  };
  return (await unless(GONE, (await clients.ecs()).describeServices(request)))?.services?.[0];
}

type Updatable = Omit<UpdateServiceCommandInput, 'service' | 'cluster'>;

/** The members to send: ECS starts a deployment for more than it needs to when all are. */
function difference(prior: Updatable, plan: Updatable): Updatable {
  return Object.fromEntries(
    Object.entries(plan).filter(([key, value]) => {
      const before = prior[key as keyof Updatable];
      return key !== 'cluster' && JSON.stringify(value) !== JSON.stringify(before);
    }),
  );
}

async function steady(state: State, session: Session): Promise<void> {
  await until(`${required(state, 'id')} to be steady`, session.signal, async () => {
    const found = await find(state, session);
    const [only, ...others] = found?.deployments ?? [];
    if (only?.rolloutState === 'FAILED') {
      throw new ProviderError('Deployment failed', only.rolloutStateReason ?? 'ECS gives no reason');
    }
    const done =
      others.length === 0 && found?.runningCount === (number(state, 'desired_count') ?? found?.desiredCount);
    return done && only?.rolloutState !== 'IN_PROGRESS' ? found : undefined;
  });
}
