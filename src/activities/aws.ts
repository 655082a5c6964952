import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { ECRClient } from '@aws-sdk/client-ecr';
import { ECSClient } from '@aws-sdk/client-ecs';
import { ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SSMClient } from '@aws-sdk/client-ssm';
import { STSClient } from '@aws-sdk/client-sts';
import { fromTemporaryCredentials } from '@aws-sdk/credential-providers';
import type { Target } from '../domain/policy.ts';

/** The AWS clients of one target. Each is made when it is first read. */
export interface TargetClients {
  readonly ecs: ECSClient;
  readonly ssm: SSMClient;
  readonly secrets: SecretsManagerClient;
  readonly ecr: ECRClient;
  readonly cloudwatch: CloudWatchClient;
  readonly sts: STSClient;
  readonly elb: ElasticLoadBalancingV2Client;
}

/** What decides which clients to use: region and assumed role. */
export type AwsTarget = Pick<Target, 'region' | 'role'>;

export interface AwsClients {
  /** The clients for `target`: the same ones for the same region and role. */
  clientsFor(target: AwsTarget): TargetClients;
  /** Closes every client's connections. */
  destroy(): void;
}

export interface AwsClientOptions {
  /** One endpoint for every service; without it the SDK's own variables (`AWS_ENDPOINT_URL`, `AWS_ENDPOINT_URL_<SERVICE>`) count. */
  readonly endpoint?: string;
  /** Without them the SDK's own chain counts: environment, shared files, container, instance. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** Temporal repeats what lasts; the SDK's own attempts are for a lost packet. */
const MAX_ATTEMPTS = 3;
/** Milliseconds. */
const TIMEOUTS = { connectionTimeout: 3_000, requestTimeout: 15_000, throwOnRequestTimeout: true };

export function createAwsClients(options: AwsClientOptions = {}): AwsClients {
  const cache = new Map<string, TargetClients & { destroy(): void }>();
  return {
    clientsFor(target) {
      const key = `${target.region} ${target.role ?? ''}`;
      const clients = cache.get(key) ?? lazyClients(clientConfig(target, options));
      cache.set(key, clients);
      return clients;
    },
    destroy() {
      for (const clients of cache.values()) clients.destroy();
      cache.clear();
    },
  };
}

function clientConfig({ region, role }: AwsTarget, { endpoint, credentials }: AwsClientOptions) {
  const own = { ...(endpoint && { endpoint }), ...(credentials && { credentials }) };
  const base = { region, maxAttempts: MAX_ATTEMPTS, requestHandler: TIMEOUTS, ...own };
  if (!role) return base;
  const assumed = fromTemporaryCredentials({
    params: { RoleArn: role, RoleSessionName: 'slipway' },
    clientConfig: { region, ...own },
  });
  return { ...base, credentials: assumed };
}

type ClientConfig = ReturnType<typeof clientConfig>;

function lazyClients(config: ClientConfig): TargetClients & { destroy(): void } {
  const made: { destroy(): void }[] = [];
  const lazily = <C extends { destroy(): void }>(Client: new (config: ClientConfig) => C): (() => C) => {
    let client: C | undefined;
    return () => {
      if (!client) made.push((client = new Client(config)));
      return client;
    };
  };
  const ecs = lazily(ECSClient);
  const ssm = lazily(SSMClient);
  const secrets = lazily(SecretsManagerClient);
  const ecr = lazily(ECRClient);
  const cloudwatch = lazily(CloudWatchClient);
  const sts = lazily(STSClient);
  const elb = lazily(ElasticLoadBalancingV2Client);
  return {
    get ecs() {
      return ecs();
    },
    get ssm() {
      return ssm();
    },
    get secrets() {
      return secrets();
    },
    get ecr() {
      return ecr();
    },
    get cloudwatch() {
      return cloudwatch();
    },
    get sts() {
      return sts();
    },
    get elb() {
      return elb();
    },
    destroy() {
      for (const client of made) client.destroy();
    },
  };
}
