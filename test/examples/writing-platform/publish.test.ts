import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import { DescribeImagesCommand, ECRClient, GetAuthorizationTokenCommand } from '@aws-sdk/client-ecr';
import { execa } from 'execa';
import { extract } from 'tar-stream';
import { endpointConfiguration } from '../../../examples/writing-platform/endpoint.ts';
import { buildImage } from '../../../examples/writing-platform/image.ts';
import { AlreadyPublishedError, publish } from '../../../examples/writing-platform/publish.ts';
import type { OciImageConfig, OciManifest } from '../../../sandbox/registry/oci.ts';
import type { Sandbox } from '../../../sandbox/server.ts';
import { startSandbox } from '../../../sandbox/server.ts';
import type { Checkouts } from './running.ts';
import { makeCheckouts, startServer } from './running.ts';

let releases: Checkouts;
let sandbox: Sandbox;
let ecr: ECRClient;
beforeAll(async () => {
  releases = await makeCheckouts();
  sandbox = await startSandbox({ stateDir: join(releases.directory, 'sandbox') });
  ecr = new ECRClient(endpointConfiguration(sandbox.url));
});
afterAll(async () => {
  ecr.destroy();
  await sandbox.close();
  await releases.remove();
});

const source = (version: string) => ({
  repository: releases.repository,
  commit: releases.commits[version] ?? '',
  version,
});

async function described(repositoryName: string, imageTag: string) {
  const command = new DescribeImagesCommand({ repositoryName, imageIds: [{ imageTag }] });
  return (await ecr.send(command)).imageDetails?.[0];
}

test('the same commit and version give the same bytes, another commit others', async () => {
  const [one, two] = [
    await buildImage('editor', source('1.0.0')),
    await buildImage('editor', source('1.0.0')),
  ];
  const other = await buildImage('editor', source('1.1.0'));
  expect(two.manifest.digest).toBe(one.manifest.digest);
  expect(other.manifest.digest).not.toBe(one.manifest.digest);
});

test('an image holds the service and what it shares, owned by root, with the times of the commit', async () => {
  const { layer } = await buildImage('suggestions', source('1.3.0'));
  const found: Record<string, unknown> = {};
  for await (const entry of Readable.from([gunzipSync(layer.content)]).pipe(extract())) {
    const { name, mode, uid, gid, mtime } = entry.header;
    found[name] = { mode, uid, gid, time: mtime?.toISOString() };
    entry.resume();
  }
  const time = '2026-01-08T09:00:00.000Z';
  expect(Object.keys(found)).toEqual(expect.arrayContaining(['app/usage.mjs', 'shared/serve.mjs']));
  expect(Object.keys(found).join(' ')).not.toContain('Dockerfile');
  expect(found['app/server.mjs']).toEqual({ mode: 0o644, uid: 0, gid: 0, time });
  expect(found['app']).toEqual({ mode: 0o755, uid: 0, gid: 0, time });
});

test('the image starts as the one that the Dockerfile makes', async () => {
  const { config } = await buildImage('editor', source('1.0.0'));
  const { config: started } = JSON.parse(config.content.toString());
  const dockerfile = await readFile(join(releases.repository, 'services', 'editor', 'Dockerfile'), 'utf8');
  const said = (instruction: string) => new RegExp(`^${instruction} (.*)$`, 'm').exec(dockerfile)?.[1] ?? '';
  expect(started).toMatchObject({
    User: said('USER'),
    Entrypoint: JSON.parse(said('ENTRYPOINT')),
    Labels: { 'org.opencontainers.image.version': '1.0.0' },
  });
  expect(dockerfile).toContain(`WORKDIR ${started.WorkingDir}\n`);
});

test('every service is pushed with its version and commit as tags, which can not be moved', async () => {
  const images = await publish({ ...source('1.1.0'), registry: sandbox.url });
  expect(images.map(({ service, pushed }) => [service, pushed])).toEqual([
    ['editor', true],
    ['model-gateway', true],
    ['suggestions', true],
  ]);
  for (const { repository, digest } of images) {
    const image = await described(repository, '1.1.0');
    expect(image).toMatchObject({ imageDigest: digest });
    expect(new Set(image?.imageTags)).toEqual(new Set(['1.1.0', releases.commits['1.1.0']]));
  }
});

test('a service starts from the layer that is pulled by its digest, and says what it is', async () => {
  const [published] = await publish({
    ...source('1.1.0'),
    services: ['model-gateway'],
    registry: sandbox.url,
  });
  const { authorizationData } = await ecr.send(new GetAuthorizationTokenCommand());
  const headers = { authorization: `Basic ${authorizationData?.[0]?.authorizationToken}` };
  const pull = (path: string): Promise<Response> =>
    fetch(`${sandbox.url}/v2/${published?.repository}/${path}`, { headers });
  const manifest: OciManifest = JSON.parse(await (await pull(`manifests/${published?.digest}`)).text());
  const layer = await pull(`blobs/${manifest.layers[0]?.digest}`);
  const folder = join(releases.directory, 'unpacked');
  await mkdir(folder);
  await execa('tar', ['-xz', '-C', folder], { input: Buffer.from(await layer.arrayBuffer()) });
  const image: OciImageConfig = JSON.parse(await (await pull(`blobs/${manifest.config.digest}`)).text());
  const baked = Object.fromEntries((image.config?.Env ?? []).map((line) => line.split('=')));
  const [node = '', server = ''] = image.config?.Entrypoint ?? [];
  expect(node).toBe('node');
  const service = await startServer(join(folder, server), { MODEL: 'large', MODEL_API_KEY: 'key', ...baked });
  const version = await (await fetch(`${service.url}/version`)).json();
  await service.stop();
  expect(version).toEqual({ service: 'model-gateway', version: '1.1.0', commit: releases.commits['1.1.0'] });
});

test('publishing again changes nothing', async () => {
  const first = await publish({ ...source('1.2.0'), registry: sandbox.url });
  const second = await publish({ ...source('1.2.0'), registry: sandbox.url });
  expect(second).toEqual(first.map((image) => ({ ...image, pushed: false })));
});

test('a version that is already that of another commit is refused, and nothing is pushed', async () => {
  await publish({ ...source('1.0.0'), services: ['suggestions'], registry: sandbox.url });
  const wrong = publish({ ...source('1.3.0'), version: '1.0.0', registry: sandbox.url });
  await expect(wrong).rejects.toThrow(AlreadyPublishedError);
  await expect(wrong).rejects.toThrow(releases.commits['1.0.0']);
  await expect(described('writing-platform/editor', '1.0.0')).rejects.toThrow(/does not exist/);
});

test('a commit that is already published under another version is refused', async () => {
  await publish({ ...source('1.0.0'), services: ['suggestions'], registry: sandbox.url });
  const wrong = publish({ ...source('1.0.0'), version: '2.0.0', registry: sandbox.url });
  await expect(wrong).rejects.toThrow(/already published as writing-platform\/suggestions:1\.0\.0/);
});

test.each([
  ['a commit that there is not', { commit: 'f'.repeat(40) }, /has no commit f{40}/],
  ['a short hash', { commit: 'abc1234' }, /not a full commit hash/],
  ['a malformed version', { version: 'v1' }, /not a semantic version/],
])('%s is refused', async (_, wrong, message) => {
  await expect(publish({ ...source('1.0.0'), ...wrong, registry: sandbox.url })).rejects.toThrow(message);
});
