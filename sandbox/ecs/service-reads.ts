import type { DescribeServicesRequest, ListServicesRequest } from '@aws-sdk/client-ecs';
import type { Given } from '../protocol/given.ts';
import { pageOf } from '../protocol/page.ts';
import { badToken, PAGE } from './clusters.ts';
import { activeCluster, arn, invalid, shortName } from './context.ts';
import type { EcsContext } from './context.ts';
import { shownService } from './service-shown.ts';

const MOST_SERVICES = 10;
const DEFAULT_LISTED = 10;

export function describeServices(ecs: EcsContext) {
  return (input: Given<DescribeServicesRequest, 'services'>): unknown => {
    const { services, include = [] } = input;
    const { clusterName } = activeCluster(ecs, input.cluster);
    if (services.length === 0) throw invalid('Services cannot be empty.');
    if (services.length > MOST_SERVICES)
      throw invalid(`Services cannot have more than ${MOST_SERVICES} elements.`);
    const asked = services.map((name) => {
      const serviceArn = arn(ecs, `service/${clusterName}/${shortName(name)}`);
      return { serviceArn, service: ecs.tables.services.get(serviceArn) };
    });
    return {
      services: asked.flatMap(({ service }) =>
        service ? [shownService(ecs, service, include.includes('TAGS'))] : [],
      ),
      failures: asked.flatMap(({ service, serviceArn }) =>
        service ? [] : [{ arn: serviceArn, reason: 'MISSING' }],
      ),
    };
  };
}

export function listServices(ecs: EcsContext) {
  return (input: ListServicesRequest): unknown => {
    const { clusterArn } = activeCluster(ecs, input.cluster);
    const found = ecs.tables.services
      .values()
      .filter(
        (service) =>
          service.clusterArn === clusterArn &&
          service.status === 'ACTIVE' &&
          (input.launchType === undefined || service.launchType === input.launchType) &&
          (input.schedulingStrategy === undefined || service.schedulingStrategy === input.schedulingStrategy),
      )
      .map(({ serviceArn }) => serviceArn)
      .toSorted();
    const size = Math.min(input.maxResults ?? DEFAULT_LISTED, PAGE);
    const { items, next } = pageOf(found, size, input.nextToken, badToken);
    return { serviceArns: items, nextToken: next };
  };
}
