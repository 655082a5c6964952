import type { ECR } from '@aws-sdk/client-ecr';
import type { ECS } from '@aws-sdk/client-ecs';
import type { ElasticLoadBalancingV2 } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { SecretsManager } from '@aws-sdk/client-secrets-manager';
import type { SSM } from '@aws-sdk/client-ssm';
import type { Resource, Session as ResourceSession } from './plugin/resource.ts';

/** AWS's clients, each loaded when it is first used: most commands need one or two, and loading takes most of a start. */
export interface Clients {
  ecr(): Promise<ECR>;
  ecs(): Promise<ECS>;
  elb(): Promise<ElasticLoadBalancingV2>;
  secrets(): Promise<SecretsManager>;
  ssm(): Promise<SSM>;
}

export type AwsResource = Resource<Clients>;
export type Session = ResourceSession<Clients>;

export interface ClientSettings {
  readonly region?: string;
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** Endpoints come from the SDK's own variable, AWS_ENDPOINT_URL. */
export function createClients(settings: ClientSettings): Clients {
  const configuration = { ...settings, maxAttempts: 3 };
  return {
    ecr: once(async () => new (await import('@aws-sdk/client-ecr')).ECR(configuration)),
    ecs: once(async () => new (await import('@aws-sdk/client-ecs')).ECS(configuration)),
    elb: once(
      async () =>
        new (await import('@aws-sdk/client-elastic-load-balancing-v2')).ElasticLoadBalancingV2(configuration),
    ),
    secrets: once(
      async () => new (await import('@aws-sdk/client-secrets-manager')).SecretsManager(configuration),
    ),
    ssm: once(async () => new (await import('@aws-sdk/client-ssm')).SSM(configuration)),
  };
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}
