import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  BatchCheckLayerAvailabilityCommand,
  BatchDeleteImageCommand,
  BatchGetImageCommand,
  CreateRepositoryCommand,
  DeleteRepositoryCommand,
  DescribeImageScanFindingsCommand,
  DescribeImagesCommand,
  DescribeRepositoriesCommand,
  ECRClient,
  GetAuthorizationTokenCommand,
  ListImagesCommand,
  ListTagsForResourceCommand,
  PutImageCommand,
  PutImageScanningConfigurationCommand,
  PutImageTagMutabilityCommand,
  StartImageScanCommand,
  TagResourceCommand,
} from '@aws-sdk/client-ecr';
import type { BatchDeleteImageCommandOutput, ImageIdentifier } from '@aws-sdk/client-ecr';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSandbox } from '../../../sandbox/server.ts';
import type { Sandbox } from '../../../sandbox/server.ts';
import { anImage, digestOf } from '../registry/images.ts';
import type { BuiltImage } from '../registry/images.ts';

let sandbox: Sandbox;
let stateDir: string;
let ecr: ECRClient;

const start = async (): Promise<void> => {
  sandbox = await startSandbox({ stateDir, accountId: '123456789012', speed: 1000 });
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  ecr = new ECRClient({ endpoint: sandbox.url, region: 'eu-west-1', credentials, maxAttempts: 1 });
};
beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'ecr-'));
  await start();
  await ecr.send(new CreateRepositoryCommand({ repositoryName: 'app', imageTagMutability: 'IMMUTABLE' }));
});
afterEach(async () => {
  ecr.destroy();
  await sandbox.close();
  await rm(stateDir, { recursive: true, force: true });
});

const repositoryName = 'app';

async function push(image: BuiltImage, reference: string): Promise<void> {
  const { authorizationData } = await ecr.send(new GetAuthorizationTokenCommand({}));
  const [{ authorizationToken, proxyEndpoint } = {}] = authorizationData ?? [];
  const headers = { authorization: `Basic ${authorizationToken}` };
  const v2 = `${proxyEndpoint}/v2/${repositoryName}`;
  for (const body of image.blobs) {
    await fetch(`${v2}/blobs/uploads/?digest=${digestOf(body)}`, { method: 'POST', body, headers });
  }
  const put = await fetch(`${v2}/manifests/${reference}`, { method: 'PUT', body: image.manifest, headers });
  expect(put.status).toBe(201);
}

describe('repositories', () => {
  test('are described as they were created, and survive a restart', async () => {
    await ecr.send(
      new CreateRepositoryCommand({ repositoryName: 'other', tags: [{ Key: 'team', Value: 'a' }] }),
    );
    await sandbox.close();
    await start();

    const { repositories } = await ecr.send(new DescribeRepositoriesCommand({}));

    expect(repositories?.map((r) => [r.repositoryName, r.imageTagMutability])).toEqual([
      ['app', 'IMMUTABLE'],
      ['other', 'MUTABLE'],
    ]);
    expect(repositories?.[0]).toMatchObject({
      repositoryArn: 'arn:aws:ecr:eu-west-1:123456789012:repository/app',
      registryId: '123456789012',
      repositoryUri: `127.0.0.1:${sandbox.port}/app`,
      createdAt: expect.any(Date),
    });
    const resourceArn = repositories?.[1]?.repositoryArn;
    await ecr.send(new TagResourceCommand({ resourceArn, tags: [{ Key: 'stage', Value: 'b' }] }));
    const { tags } = await ecr.send(new ListTagsForResourceCommand({ resourceArn }));
    expect(tags).toEqual([
      { Key: 'team', Value: 'a' },
      { Key: 'stage', Value: 'b' },
    ]);
  });

  test('a taken name, an unknown one and a full repository are refused in AWS words', async () => {
    await push(await anImage([[{ name: 'a' }]]), '1.0.0');

    await expect(ecr.send(new CreateRepositoryCommand({ repositoryName }))).rejects.toMatchObject({
      name: 'RepositoryAlreadyExistsException',
    });
    await expect(
      ecr.send(new DescribeRepositoriesCommand({ repositoryNames: ['none'] })),
    ).rejects.toMatchObject({
      name: 'RepositoryNotFoundException',
      message: "The repository with name 'none' does not exist in the registry with id '123456789012'",
    });
    await expect(ecr.send(new DeleteRepositoryCommand({ repositoryName }))).rejects.toMatchObject({
      name: 'RepositoryNotEmptyException',
    });
    await ecr.send(new DeleteRepositoryCommand({ repositoryName, force: true }));
    expect((await ecr.send(new DescribeRepositoriesCommand({}))).repositories).toEqual([]);
  });
});

test('lists come in pages', async () => {
  for (const name of ['bb', 'cc']) await ecr.send(new CreateRepositoryCommand({ repositoryName: name }));

  const first = await ecr.send(new DescribeRepositoriesCommand({ maxResults: 2 }));
  const second = await ecr.send(
    new DescribeRepositoriesCommand({ maxResults: 2, nextToken: first.nextToken }),
  );

  const names = [first, second].map((page) =>
    page.repositories?.map((repository) => repository.repositoryName),
  );
  expect(names).toEqual([['app', 'bb'], ['cc']]);
  expect(second.nextToken).toBeUndefined();
});

describe('images', () => {
  test('a pushed image is described with its digest, tags and size', async () => {
    const image = await anImage([[{ name: 'a', body: 'x' }]]);
    await push(image, '1.0.0');
    await push(image, 'commit-abc');

    const { imageDetails } = await ecr.send(
      new DescribeImagesCommand({ repositoryName, imageIds: [{ imageTag: '1.0.0' }] }),
    );

    expect(imageDetails).toMatchObject([
      {
        imageDigest: image.digest,
        imageTags: ['1.0.0', 'commit-abc'],
        imageSizeInBytes: image.blobs.reduce((sum, blob) => sum + blob.length, 0),
        imagePushedAt: expect.any(Date),
        imageManifestMediaType: 'application/vnd.oci.image.manifest.v1+json',
      },
    ]);
    const { imageIds } = await ecr.send(new ListImagesCommand({ repositoryName }));
    expect(imageIds?.map(({ imageTag }) => imageTag)).toEqual(['1.0.0', 'commit-abc']);
  });

  test('an image gets a further tag by its manifest; an immutable tag is never moved', async () => {
    const [image, other] = [await anImage([[{ name: 'a' }]]), await anImage([[{ name: 'b' }]])];
    await push(image, '1.0.0');
    await push(other, '2.0.0');
    const { images } = await ecr.send(
      new BatchGetImageCommand({ repositoryName, imageIds: [{ imageDigest: image.digest }] }),
    );
    const retag = (imageTag: string): Promise<unknown> =>
      ecr.send(new PutImageCommand({ repositoryName, imageManifest: images?.[0]?.imageManifest, imageTag }));

    await retag('production-1.0.0');

    await expect(retag('production-1.0.0')).rejects.toMatchObject({ name: 'ImageAlreadyExistsException' });
    await expect(retag('2.0.0')).rejects.toMatchObject({
      name: 'ImageTagAlreadyExistsException',
      message:
        "The image tag '2.0.0' already exists in the 'app' repository and cannot be overwritten because the tag is immutable.",
    });
    await ecr.send(new PutImageTagMutabilityCommand({ repositoryName, imageTagMutability: 'MUTABLE' }));
    await retag('2.0.0');
    const found = await ecr.send(
      new DescribeImagesCommand({ repositoryName, imageIds: [{ imageTag: '2.0.0' }] }),
    );
    expect(found.imageDetails?.[0]?.imageDigest).toBe(image.digest);
  });

  test('what is not there is named', async () => {
    const imageIds = [{ imageTag: 'none' }];
    await expect(ecr.send(new DescribeImagesCommand({ repositoryName, imageIds }))).rejects.toMatchObject({
      name: 'ImageNotFoundException',
      message: expect.stringContaining("{imageDigest:'null', imageTag:'none'}"),
    });
    const got = await ecr.send(new BatchGetImageCommand({ repositoryName, imageIds }));
    expect(got.failures).toMatchObject([{ failureCode: 'ImageNotFound', imageId: { imageTag: 'none' } }]);
    const imageManifest = (await anImage([[{ name: 'never pushed' }]])).manifest.toString();
    await expect(ecr.send(new PutImageCommand({ repositoryName, imageManifest }))).rejects.toMatchObject({
      name: 'LayersNotFoundException',
    });
    const layerDigests = [digestOf(Buffer.from('x'))];
    const check = await ecr.send(new BatchCheckLayerAvailabilityCommand({ repositoryName, layerDigests }));
    expect(check.layers).toMatchObject([{ layerAvailability: 'UNAVAILABLE' }]);
  });

  test('an image that an index refers to stays until the index is deleted', async () => {
    const image = await anImage([[{ name: 'a' }]]);
    await push(image, image.digest);
    const mediaType = 'application/vnd.oci.image.index.v1+json';
    const member = {
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      digest: image.digest,
      size: image.manifest.length,
    };
    const imageManifest = JSON.stringify({ schemaVersion: 2, mediaType, manifests: [member] });
    await ecr.send(new PutImageCommand({ repositoryName, imageManifest, imageTag: 'multi' }));
    const remove = (imageId: ImageIdentifier): Promise<BatchDeleteImageCommandOutput> =>
      ecr.send(new BatchDeleteImageCommand({ repositoryName, imageIds: [imageId] }));

    const refused = await remove({ imageDigest: image.digest });
    await remove({ imageTag: 'multi' });
    const deleted = await remove({ imageDigest: image.digest });

    expect(refused.failures).toMatchObject([{ failureCode: 'ImageReferencedByManifestList' }]);
    expect(deleted.imageIds).toEqual([{ imageDigest: image.digest }]);
  });

  test('deleting by digest takes all tags', async () => {
    const image = await anImage([[{ name: 'a' }]]);
    await push(image, 'one');
    await push(image, 'two');

    const { imageIds } = await ecr.send(
      new BatchDeleteImageCommand({ repositoryName, imageIds: [{ imageDigest: image.digest }] }),
    );

    expect(imageIds).toHaveLength(2);
    expect((await ecr.send(new ListImagesCommand({ repositoryName }))).imageIds).toEqual([]);
  });
});

describe('scans', () => {
  const scanned = async (imageTag: string): Promise<Record<string, unknown>> => {
    const deadline = Date.now() + 5_000;
    for (;;) {
      const found = await ecr.send(
        new DescribeImageScanFindingsCommand({ repositoryName, imageId: { imageTag } }),
      );
      if (found.imageScanStatus?.status !== 'IN_PROGRESS') return { ...found };
      if (Date.now() > deadline) throw new Error('the scan did not end');
    }
  };

  test('an image that nothing was planted for is clean, once it was scanned', async () => {
    await push(await anImage([[{ name: 'a' }]]), '1.0.0');
    const imageId = { imageTag: '1.0.0' };
    await expect(
      ecr.send(new DescribeImageScanFindingsCommand({ repositoryName, imageId })),
    ).rejects.toMatchObject({ name: 'ScanNotFoundException' });

    await ecr.send(new StartImageScanCommand({ repositoryName, imageId }));

    expect(await scanned('1.0.0')).toMatchObject({
      imageScanStatus: { status: 'COMPLETE' },
      imageScanFindings: { findings: [], findingSeverityCounts: {} },
    });
    await expect(ecr.send(new StartImageScanCommand({ repositoryName, imageId }))).rejects.toMatchObject({
      name: 'LimitExceededException',
    });
  });

  test('planted findings are found and counted', async () => {
    const image = await anImage([[{ name: 'a' }]]);
    const url = `${sandbox.url}/_sandbox/scan-findings/${image.digest}`;
    const findings = [
      { name: 'CVE-2026-0001', severity: 'CRITICAL', uri: 'https://example.com/1' },
      { name: 'CVE-2026-0002', severity: 'LOW' },
      { name: 'CVE-2026-0003', severity: 'LOW' },
    ];
    expect((await fetch(url, { method: 'PUT', body: JSON.stringify(findings) })).status).toBe(200);
    await push(image, '1.0.0');
    await ecr.send(new StartImageScanCommand({ repositoryName, imageId: { imageDigest: image.digest } }));

    expect(await scanned('1.0.0')).toMatchObject({
      imageScanFindings: { findingSeverityCounts: { CRITICAL: 1, LOW: 2 }, findings },
    });
    const { imageDetails } = await ecr.send(new DescribeImagesCommand({ repositoryName }));
    expect(imageDetails?.[0]?.imageScanFindingsSummary?.findingSeverityCounts).toEqual({
      CRITICAL: 1,
      LOW: 2,
    });
  });

  test('a scan can be planted to fail; nonsense is refused', async () => {
    const image = await anImage([[{ name: 'a' }]]);
    const plant = async (body: string): Promise<number> =>
      (await fetch(`${sandbox.url}/_sandbox/scan-findings/${image.digest}`, { method: 'PUT', body })).status;
    expect(await plant('[{"name":"x","severity":"BAD"}]')).toBe(400);
    expect(await plant('{"status":"FAILED"}')).toBe(200);
    await push(image, '1.0.0');
    await ecr.send(new StartImageScanCommand({ repositoryName, imageId: { imageTag: '1.0.0' } }));

    const found = await scanned('1.0.0');

    expect(found).toMatchObject({ imageScanStatus: { status: 'FAILED' } });
    expect(found['imageScanFindings']).toBeUndefined();
  });

  test('a repository that scans on push scans what comes in', async () => {
    const imageScanningConfiguration = { scanOnPush: true };
    await ecr.send(new PutImageScanningConfigurationCommand({ repositoryName, imageScanningConfiguration }));

    await push(await anImage([[{ name: 'a' }]]), '1.0.0');

    expect(await scanned('1.0.0')).toMatchObject({ imageScanStatus: { status: 'COMPLETE' } });
  });
});
