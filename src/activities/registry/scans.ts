import { DescribeImageScanFindingsCommand, ScanNotFoundException } from '@aws-sdk/client-ecr';
import type { Digest } from '../../domain/release.ts';
import type { Check } from '../../domain/verdict.ts';
import { readManifest } from './images.ts';
import type { Repository } from './images.ts';
import { judgeScan } from './scan-verdict.ts';
import type { Judged, ScanGate } from './scan-verdict.ts';

/** The gate over one service's image; over each of its platforms when it has several. No scan is not a pass. */
export async function checkScan(
  service: string,
  repository: Repository,
  digest: Digest,
  gate: ScanGate,
): Promise<Check> {
  const name = `scan of ${service}`;
  const images = await scannedImages(repository, digest);
  if (images === undefined) {
    return {
      name,
      passed: false,
      detail: `${repository.name} no longer has ${digest}. Build and push the release again.`,
    };
  }
  const results = await Promise.all(images.map((image) => judgeImage(repository, image, gate)));
  const failed = results.filter(({ passed }) => !passed);
  const told = (failed.length > 0 ? failed : results).map(({ detail }) => detail);
  return { name, passed: failed.length === 0, detail: [...new Set(told)].join('; ') };
}

interface ScannedImage {
  readonly digest: Digest;
  /** Such as `linux/arm64`; absent when the image has one platform. */
  readonly platform?: string;
}

interface Index {
  readonly manifests?: readonly {
    readonly digest: Digest;
    readonly platform?: { readonly os?: string; readonly architecture?: string; readonly variant?: string };
  }[];
}

/** ECR scans images, not indexes: of an index, its platforms' images. Attestations, whose platform is unknown, are no images. */
async function scannedImages(repository: Repository, digest: Digest): Promise<ScannedImage[] | undefined> {
  const manifest = await readManifest(repository, digest);
  if (manifest === undefined) return undefined;
  const { manifests }: Index = JSON.parse(manifest.text);
  if (manifests === undefined) return [{ digest }];
  return manifests.flatMap(({ digest: image, platform = {} }) => {
    const { os = 'unknown', architecture = 'unknown', variant } = platform;
    if (os === 'unknown' && architecture === 'unknown') return [];
    return [
      { digest: image, platform: [os, architecture, variant].filter((part) => part !== undefined).join('/') },
    ];
  });
}

async function judgeImage(
  { ecr, account, name }: Repository,
  { digest, platform }: ScannedImage,
  gate: ScanGate,
): Promise<Judged> {
  const image = platform === undefined ? digest : `${digest} (${platform})`;
  const rescan = `\`aws ecr start-image-scan --repository-name ${name} --image-id imageDigest=${digest}\``;
  try {
    const scan = await ecr.send(
      new DescribeImageScanFindingsCommand({
        registryId: account,
        repositoryName: name,
        imageId: { imageDigest: digest },
      }),
    );
    return judgeScan(scan, image, rescan, gate);
  } catch (error) {
    if (!(error instanceof ScanNotFoundException)) throw error;
    return {
      passed: false,
      detail: `${image} was never scanned. Turn on scan on push for ${name}, or run ${rescan}; start again when it is done.`,
    };
  }
}
