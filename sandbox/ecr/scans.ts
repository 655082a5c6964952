import type {
  DescribeImageScanFindingsRequest,
  ImageScanFinding,
  ImageScanStatus,
  StartImageScanRequest,
} from '@aws-sdk/client-ecr';
import type { Given } from '../protocol/given.ts';
import { pageOf } from '../protocol/page.ts';
import { AwsError } from '../protocol/service.ts';
import type { RequestContext } from '../protocol/service.ts';
import type { Image } from '../registry/repositories.ts';
import { invalidParameter, showId } from './errors.ts';
import type { PlantedScan, PlantedScans } from './planted.ts';
import { imageOf, repositoryOf } from './scope.ts';
import type { EcrOptions, Operations } from './scope.ts';

const SCAN_MS = 5_000;
/** "An image can only be scanned once per 24 hours" by a manual scan: ECR's basic scanning. */
const RESCAN_AFTER_MS = 24 * 3_600_000;
const DEFAULT_PAGE = 100;

interface StoredScan {
  readonly startedAt: number;
}

type Target<T extends StartImageScanRequest> = Given<T, 'repositoryName' | 'imageId'>;

/** Basic scanning: a scan a digest and repository, whose findings are those that were planted. */
export interface Scans {
  readonly operations: Operations;
  /** The members of an image's description that tell of its scan; none when there was no scan. */
  summary(image: Image): Promise<object>;
}

export function createScans(options: EcrOptions, planted: PlantedScans): Scans {
  const { now, registry, speed, store } = options;
  const scans = store.table<StoredScan>('ecr.scans');
  // An image that was deleted and pushed again is a new one.
  const keyOf = (image: Image): string => `${image.repository}@${image.digest}@${image.pushedAt}`;
  const begin = (image: Image): void => scans.set(keyOf(image), { startedAt: now() });
  registry.onPush((image) => {
    if (registry.repositories.get(image.repository).scanOnPush) begin(image);
  });

  /** Where an image's scan stands. */
  const look = async (image: Image): Promise<ScanState | undefined> => {
    const scan = scans.get(keyOf(image));
    if (scan === undefined) return undefined;
    const endsAt = scan.startedAt + SCAN_MS / speed;
    if (now() < endsAt) return { status: { status: 'IN_PROGRESS' } };
    const result = await planted.read(image.digest);
    return { status: statusOf(result), findings: findingsOf(result), completedAt: new Date(endsAt) };
  };
  const named = (image: Image, context: RequestContext): object => ({
    registryId: context.accountId,
    repositoryName: image.repository,
    imageId: { imageDigest: image.digest, ...(image.tags[0] !== undefined && { imageTag: image.tags[0] }) },
  });

  return {
    operations: {
      StartImageScan(input: Target<StartImageScanRequest>, context) {
        const image = imageOf(options, repositoryOf(options, input, context), input.imageId, context);
        const last = scans.get(keyOf(image));
        if (last !== undefined && now() - last.startedAt < RESCAN_AFTER_MS / speed) {
          throw new AwsError(
            'LimitExceededException',
            'The scan quota per image has been exceeded. Wait and try again.',
          );
        }
        begin(image);
        return { ...named(image, context), imageScanStatus: { status: 'IN_PROGRESS' } };
      },
      async DescribeImageScanFindings(input: Target<DescribeImageScanFindingsRequest>, context) {
        const image = imageOf(options, repositoryOf(options, input, context), input.imageId, context);
        const state = await look(image);
        if (state === undefined) {
          throw new AwsError(
            'ScanNotFoundException',
            `Image scan does not exist for the image with '${showId(input.imageId)}' in the repository with name '${image.repository}' in the registry with id '${context.accountId}'`,
          );
        }
        const scanned = { ...named(image, context), imageScanStatus: state.status };
        if (state.findings === undefined) return scanned;
        const page = pageOf(state.findings, input.maxResults ?? DEFAULT_PAGE, input.nextToken, () =>
          invalidParameter('nextToken', 'a token of this API'),
        );
        return {
          ...scanned,
          imageScanFindings: { ...count(state.findings, state.completedAt), findings: page.items },
          nextToken: page.next,
        };
      },
    },
    async summary(image) {
      const state = await look(image);
      if (state === undefined) return {};
      return {
        imageScanStatus: state.status,
        ...(state.findings && { imageScanFindingsSummary: count(state.findings, state.completedAt) }),
      };
    },
  };
}

interface ScanState {
  readonly status: ImageScanStatus;
  readonly findings?: readonly ImageScanFinding[] | undefined;
  readonly completedAt?: Date;
}

function statusOf({ status = 'COMPLETE' }: PlantedScan): ImageScanStatus {
  const description = {
    COMPLETE: 'The scan was completed successfully.',
    FAILED: 'The scan failed.',
    UNSUPPORTED_IMAGE: 'The operating system and/or package manager are not supported.',
  }[status];
  return { status, description };
}

function findingsOf({ status = 'COMPLETE', findings = [] }: PlantedScan): ImageScanFinding[] | undefined {
  return status === 'COMPLETE' ? findings.map((finding) => ({ ...finding })) : undefined;
}

function count(findings: readonly ImageScanFinding[], imageScanCompletedAt: Date | undefined): object {
  const findingSeverityCounts: Record<string, number> = {};
  for (const { severity = 'UNDEFINED' } of findings) {
    findingSeverityCounts[severity] = (findingSeverityCounts[severity] ?? 0) + 1;
  }
  return { imageScanCompletedAt, vulnerabilitySourceUpdatedAt: imageScanCompletedAt, findingSeverityCounts };
}
