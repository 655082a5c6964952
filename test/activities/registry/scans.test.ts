import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { anImageOf, anIndex, aRegistry } from './aRegistry.ts';
import type { Registry } from './aRegistry.ts';

const services = [{ name: 'web', repository: 'notes/web' }];
const gate = { CRITICAL: 0, HIGH: 1 };

let registry: Registry;
beforeEach(async () => {
  registry = await aRegistry();
});
afterEach(() => registry.close());

async function check(web: string, scanGate: object | undefined = gate) {
  const checks = await registry.activities.checkScans({
    registry: { ...registry.policy, ...(scanGate && { scanGate }) },
    services,
    manifest: { version: '1.0.0', commit: 'a'.repeat(40), images: { web } },
  });
  return checks[0];
}

test('an image with no more findings than the gate allows passes', async () => {
  const digest = await registry.push('notes/web', await anImageOf('a'), '1.0.0');
  await registry.plant(digest, {
    findings: [
      { name: 'CVE-1', severity: 'HIGH' },
      { name: 'CVE-2', severity: 'LOW' },
    ],
  });
  await registry.scan('notes/web', digest);

  expect(await check(digest)).toEqual({
    name: 'scan of web',
    passed: true,
    detail: `${digest}: 0 CRITICAL (allowed 0), 1 HIGH (allowed 1)`,
  });
});

test('an image over the gate fails, the worst findings named first', async () => {
  const digest = await registry.push('notes/web', await anImageOf('a'), '1.0.0');
  const high = ['CVE-2', 'CVE-3'].map((name) => ({ name, severity: 'HIGH' }));
  await registry.plant(digest, { findings: [...high, { name: 'CVE-1', severity: 'CRITICAL' }] });
  await registry.scan('notes/web', digest);

  const result = await check(digest);
  expect(result?.passed).toBe(false);
  expect(result?.detail).toContain(
    '1 CRITICAL (allowed 0), 2 HIGH (allowed 1): CVE-1, CVE-2, CVE-3. Fix them in a new release',
  );
});

test('an image that was never scanned does not pass, and the check says how to scan it', async () => {
  const digest = await registry.push('notes/web', await anImageOf('a'), '1.0.0');

  const result = await check(digest);
  expect(result?.passed).toBe(false);
  expect(result?.detail).toContain(
    `was never scanned. Turn on scan on push for notes/web, or run \`aws ecr start-image-scan --repository-name notes/web --image-id imageDigest=${digest}\``,
  );
});

test('a scan under way is not a pass', async () => {
  await registry.close();
  registry = await aRegistry({ speed: 0.01 });
  const digest = await registry.push('notes/web', await anImageOf('a'), '1.0.0');
  await registry.startScan('notes/web', digest);

  expect(await check(digest)).toMatchObject({
    passed: false,
    detail: expect.stringContaining('is still under way. Start again when it is done'),
  });
});

test('a scan that failed is not a pass', async () => {
  const digest = await registry.push('notes/web', await anImageOf('a'), '1.0.0');
  await registry.plant(digest, { status: 'FAILED' });
  await registry.scan('notes/web', digest);

  expect(await check(digest)).toMatchObject({
    passed: false,
    detail: expect.stringContaining('has no result: FAILED (The scan failed.)'),
  });
});

test('every platform of a multi-platform image counts, its attestations do not', async () => {
  const [amd64, arm64, attestation] = [
    await anImageOf('amd64'),
    await anImageOf('arm64'),
    await anImageOf('attestation'),
  ];
  for (const image of [amd64, arm64, attestation]) await registry.push('notes/web', image);
  const index = await registry.push('notes/web', anIndex(amd64, arm64, attestation), '1.0.0');
  await registry.plant(arm64.digest, { findings: [{ name: 'CVE-9', severity: 'CRITICAL' }] });
  await registry.scan('notes/web', amd64.digest);
  await registry.scan('notes/web', arm64.digest);

  const result = await check(index);
  expect(result?.passed).toBe(false);
  expect(result?.detail).toContain(
    `${arm64.digest} (linux/arm64/v8): 1 CRITICAL (allowed 0), 0 HIGH (allowed 1): CVE-9`,
  );
  expect(result?.detail).not.toContain(amd64.digest);
  expect(await check(index, { CRITICAL: 1 })).toMatchObject({ passed: true });
});

test('an image that is gone does not pass', async () => {
  expect(await check(`sha256:${'0'.repeat(64)}`)).toMatchObject({
    passed: false,
    detail: expect.stringContaining('notes/web no longer has sha256:000'),
  });
});

test('without a gate nothing is checked', async () => {
  const manifest = { version: '1.0.0', commit: 'a'.repeat(40), images: {} };
  expect(await registry.activities.checkScans({ registry: registry.policy, services, manifest })).toEqual([]);
});
