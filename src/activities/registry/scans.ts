import { DescribeImageScanFindingsCommand, ScanNotFoundException } from '@aws-sdk/client-ecr';
import type { DescribeImageScanFindingsCommandOutput } from '@aws-sdk/client-ecr';
import type { Severity } from '../../domain/policy.ts';
import type { Digest } from '../../domain/release.ts';
import type { Check } from '../../domain/verdict.ts';
import { readManifest } from './images.ts';
import type { Repository } from './images.ts';

export type ScanGate = Readonly<Partial<Record<Severity, number>>>;

/** Worst first. */
const SEVERITIES: readonly Severity[] = ['CRITICAL', 'HIGH', 'MEDIUM', 'LOW'];
/** Findings named in a check's detail. */
const NAMED = 5;

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

interface Judged {
  readonly passed: boolean;
  readonly detail: string;
}

async function judgeImage(
  { ecr, account, name }: Repository,
  { digest, platform }: ScannedImage,
  gate: ScanGate,
): Promise<Judged> {
  const image = platform === undefined ? digest : `${digest} (${platform})`;
  const where = `\`aws ecr start-image-scan --repository-name ${name} --image-id imageDigest=${digest}\``;
  try {
    const scan = await ecr.send(
      new DescribeImageScanFindingsCommand({
        registryId: account,
        repositoryName: name,
        imageId: { imageDigest: digest },
      }),
    );
    return judgeScan(scan, image, where, gate);
  } catch (error) {
    if (!(error instanceof ScanNotFoundException)) throw error;
    return {
      passed: false,
      detail: `${image} was never scanned. Turn on scan on push for ${name}, or run ${where}; start again when it is done.`,
    };
  }
}

function judgeScan(
  scan: DescribeImageScanFindingsCommandOutput,
  image: string,
  where: string,
  gate: ScanGate,
): Judged {
  const { status, description } = scan.imageScanStatus ?? {};
  const said = description ? ` (${description})` : '';
  if (status === 'IN_PROGRESS' || status === 'PENDING') {
    return {
      passed: false,
      detail: `The scan of ${image} is still under way. Start again when it is done, in a minute or so.`,
    };
  }
  const findings = scan.imageScanFindings;
  const counts = findings?.findingSeverityCounts;
  // ACTIVE: enhanced scanning goes on for as long as the image is there. Before its first result it answers with an empty list.
  const done = status === 'COMPLETE' || status === 'ACTIVE';
  if (!done || (counts === undefined && findings?.imageScanCompletedAt === undefined)) {
    return {
      passed: false,
      detail: `The scan of ${image} has no result: ${status ?? 'no status'}${said}. Repeat it with ${where}.`,
    };
  }
  const over = SEVERITIES.filter((severity) => (counts?.[severity] ?? 0) > (gate[severity] ?? Infinity));
  const told = SEVERITIES.filter((severity) => gate[severity] !== undefined)
    .map((severity) => `${counts?.[severity] ?? 0} ${severity} (allowed ${gate[severity]})`)
    .join(', ');
  if (over.length === 0) return { passed: true, detail: `${image}: ${told}` };
  return {
    passed: false,
    detail: `${image}: ${told}${namesOf(scan, over)}. Fix them in a new release, or raise registry.scanGate in slipway.yaml.`,
  };
}

/** Names of the worst findings that are over the gate. */
function namesOf(
  { imageScanFindings }: DescribeImageScanFindingsCommandOutput,
  over: readonly Severity[],
): string {
  const { findings = [], enhancedFindings = [] } = imageScanFindings ?? {};
  const all = [
    ...findings.map(({ name, severity }) => ({ name, severity })),
    ...enhancedFindings.map(({ packageVulnerabilityDetails, title, severity }) => ({
      name: packageVulnerabilityDetails?.vulnerabilityId ?? title,
      severity,
    })),
  ];
  const names = over.flatMap((severity) =>
    all.filter((finding) => finding.severity === severity).flatMap(({ name }) => name ?? []),
  );
  if (names.length === 0) return '';
  return `: ${names.slice(0, NAMED).join(', ')}${names.length > NAMED ? ', ...' : ''}`;
}
