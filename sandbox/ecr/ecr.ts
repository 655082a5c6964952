import type { ServiceDefinition } from '../protocol/service.ts';
import { imageOperations } from './images.ts';
import { createPlantedScans } from './planted.ts';
import type { PlantedScans } from './planted.ts';
import { repositoryOperations } from './repositories.ts';
import { createScans } from './scans.ts';
import type { EcrOptions } from './scope.ts';

export interface Ecr {
  readonly service: ServiceDefinition;
  /** HTTP requests that plant what scans find; no part of AWS. */
  readonly mount: PlantedScans['mount'];
}

/** ECR's API over the registry. */
export function createEcr(options: EcrOptions): Ecr {
  const planted = createPlantedScans(options.stateDir);
  const scans = createScans(options, planted);
  return {
    mount: planted.mount,
    service: {
      model: 'ecr',
      operations: {
        ...repositoryOperations(options),
        ...imageOperations(options, scans),
        ...scans.operations,
        GetAuthorizationToken() {
          const { password, expiresAt } = options.registry.access.issue();
          const authorizationToken = Buffer.from(`AWS:${password}`).toString('base64');
          const proxyEndpoint = `http://${options.registryHost()}`;
          return { authorizationData: [{ authorizationToken, expiresAt, proxyEndpoint }] };
        },
      },
    },
  };
}
