import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateRepositoryCommand,
  DescribeImageScanFindingsCommand,
  DescribeImagesCommand,
  GetAuthorizationTokenCommand,
  StartImageScanCommand,
} from '@aws-sdk/client-ecr';
import type { ECRClient } from '@aws-sdk/client-ecr';
import { ApplicationFailure } from '@temporalio/common';
import { startSandbox } from '../../../sandbox/server.ts';
import { createAwsClients } from '../../../src/activities/aws.ts';
import type { LockProof } from '../../../src/activities/lock.ts';
import { createRegistryActivities } from '../../../src/activities/registry/activities.ts';
import type { RegistryActivities } from '../../../src/activities/registry/types.ts';
import { anImage, digestOf } from '../../sandbox/registry/images.ts';
import type { BuiltImage } from '../../sandbox/registry/images.ts';

const ACCOUNT = '123456789012';
const REGION = 'eu-west-1';

export const aLock: LockProof = {
  environmentWorkflowId: 'notes.environment.production',
  requestId: 'r1',
  token: { epoch: 1, counter: 1 },
};

export interface Registry {
  readonly activities: RegistryActivities;
  readonly policy: { readonly host: string; readonly account: string; readonly region: string };
  /** How often the lock was asserted. */
  readonly asserted: () => number;
  /** Runs when the lock is asserted: after the look, before the write. */
  beforeWrite: (then: () => Promise<unknown>) => void;
  /** From now on another run holds the lock. */
  readonly loseLock: () => void;
  readonly push: (repository: string, image: BuiltImage, ...tags: string[]) => Promise<string>;
  readonly plant: (digest: string, scan: object) => Promise<void>;
  /** Starts a scan and waits for its end. */
  readonly scan: (repository: string, digest: string) => Promise<void>;
  readonly startScan: (repository: string, digest: string) => Promise<void>;
  readonly tagsOf: (repository: string, digest: string) => Promise<string[]>;
  close(): Promise<void>;
}

interface RegistryOptions {
  readonly mutability?: 'IMMUTABLE' | 'MUTABLE';
  /** A scan takes 5 s / speed. */
  readonly speed?: number;
}

/** A sandbox with the repositories `notes/web` and `notes/api`, whose tags are immutable unless said otherwise. */
export async function aRegistry({
  mutability = 'IMMUTABLE',
  speed = 1_000,
}: RegistryOptions = {}): Promise<Registry> {
  const stateDir = await mkdtemp(join(tmpdir(), 'slipway-registry-'));
  const sandbox = await startSandbox({ stateDir, accountId: ACCOUNT, region: REGION, speed });
  const aws = createAwsClients({
    endpoint: sandbox.url,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  const { ecr } = aws.clientsFor({ region: REGION });
  for (const repositoryName of ['notes/web', 'notes/api']) {
    await ecr.send(new CreateRepositoryCommand({ repositoryName, imageTagMutability: mutability }));
  }
  let asserted = 0;
  let lost = false;
  let meanwhile: () => Promise<unknown> = async () => {};
  const assertHolder = async (): Promise<void> => {
    if (lost) throw ApplicationFailure.nonRetryable('another run holds the lock', 'LockLost');
    asserted += 1;
    await meanwhile();
  };
  const startScan = async (repositoryName: string, imageDigest: string): Promise<void> => {
    await ecr.send(new StartImageScanCommand({ repositoryName, imageId: { imageDigest } }));
  };
  return {
    activities: createRegistryActivities({ aws, assertHolder }),
    policy: { host: new URL(sandbox.url).host, account: ACCOUNT, region: REGION },
    asserted: () => asserted,
    beforeWrite: (then) => void (meanwhile = then),
    loseLock: () => void (lost = true),
    push: (repository, image, ...tags) => push(ecr, repository, image, tags),
    async plant(digest, scan) {
      await fetch(`${sandbox.url}/_sandbox/scan-findings/${digest}`, {
        method: 'PUT',
        body: JSON.stringify(scan),
      });
    },
    startScan,
    async scan(repository, digest) {
      await startScan(repository, digest);
      await scanEnded(ecr, repository, digest);
    },
    async tagsOf(repositoryName, imageDigest) {
      const { imageDetails } = await ecr.send(
        new DescribeImagesCommand({ repositoryName, imageIds: [{ imageDigest }] }),
      );
      return [...(imageDetails?.[0]?.imageTags ?? [])].toSorted((a, b) => (a < b ? -1 : 1));
    },
    async close() {
      aws.destroy();
      await sandbox.close();
      await rm(stateDir, { recursive: true, force: true });
    },
  };
}

/** An image with something of its own in it. */
export const anImageOf = (content: string): Promise<BuiltImage> =>
  anImage([[{ name: 'main.js', body: content }]]);

/** An index over images for two platforms, and an attestation, as BuildKit makes them. */
export function anIndex(amd64: BuiltImage, arm64: BuiltImage, attestation: BuiltImage): BuiltImage {
  const entry = (image: BuiltImage, platform: object): object => ({
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    digest: image.digest,
    size: image.manifest.length,
    platform,
  });
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.index.v1+json',
      manifests: [
        entry(amd64, { os: 'linux', architecture: 'amd64' }),
        entry(arm64, { os: 'linux', architecture: 'arm64', variant: 'v8' }),
        entry(attestation, { os: 'unknown', architecture: 'unknown' }),
      ],
    }),
  );
  return { manifest, digest: digestOf(manifest), blobs: [] };
}

async function push(
  ecr: ECRClient,
  repository: string,
  image: BuiltImage,
  tags: readonly string[],
): Promise<string> {
  const { authorizationData } = await ecr.send(new GetAuthorizationTokenCommand({}));
  const [{ authorizationToken, proxyEndpoint } = {}] = authorizationData ?? [];
  const headers = { authorization: `Basic ${authorizationToken}` };
  const v2 = `${proxyEndpoint}/v2/${repository}`;
  for (const body of image.blobs) {
    await fetch(`${v2}/blobs/uploads/?digest=${digestOf(body)}`, { method: 'POST', body, headers });
  }
  for (const reference of tags.length > 0 ? tags : [image.digest]) {
    const put = await fetch(`${v2}/manifests/${reference}`, { method: 'PUT', body: image.manifest, headers });
    if (put.status !== 201)
      throw new Error(`pushing ${repository}:${reference}: ${put.status} ${await put.text()}`);
  }
  return image.digest;
}

async function scanEnded(ecr: ECRClient, repositoryName: string, imageDigest: string): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (Date.now() < deadline) {
    const found = await ecr.send(
      new DescribeImageScanFindingsCommand({ repositoryName, imageId: { imageDigest } }),
    );
    if (found.imageScanStatus?.status !== 'IN_PROGRESS') return;
  }
  throw new Error('the scan did not end');
}
