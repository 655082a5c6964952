import type { DescribeImageScanFindingsCommandOutput } from '@aws-sdk/client-ecr';
import type { Severity } from '../../domain/policy.ts';

export type ScanGate = Readonly<Partial<Record<Severity, number>>>;

/** What ECR says of an image's scan. */
export type Scan = Pick<DescribeImageScanFindingsCommandOutput, 'imageScanStatus' | 'imageScanFindings'>;

export interface Judged {
  readonly passed: boolean;
  readonly detail: string;
}

/** Worst first. */
const SEVERITIES: readonly Severity[] = ['CRITICAL', 'HIGH', 'MEDIUM', 'LOW'];
/** Findings named in a verdict. */
const NAMED = 5;
const UNDER_WAY: readonly (string | undefined)[] = ['IN_PROGRESS', 'PENDING'];
/** ACTIVE: enhanced scanning has looked at the image, and goes on to for as long as the image is there. */
const DONE: readonly (string | undefined)[] = ['COMPLETE', 'ACTIVE'];

/**
 * A scan beside the gate. Only a scan with a result can pass.
 * @param image names the image, for people
 * @param rescan the command that scans it again
 */
export function judgeScan(scan: Scan, image: string, rescan: string, gate: ScanGate): Judged {
  const { status } = scan.imageScanStatus ?? {};
  if (UNDER_WAY.includes(status)) {
    return failed(`The scan of ${image} is still under way. Start again when it is done, in a minute or so.`);
  }
  if (!DONE.includes(status)) return failed(withoutResult(scan, image, rescan));
  const { findingSeverityCounts: counts, imageScanCompletedAt } = scan.imageScanFindings ?? {};
  if (counts === undefined && imageScanCompletedAt === undefined) {
    // Before its first result enhanced scanning answers with an empty list, which is not 'nothing found'.
    return failed(`The scan of ${image} has no result yet: ${status}. Start again when it has one.`);
  }
  const told = SEVERITIES.filter((severity) => gate[severity] !== undefined)
    .map((severity) => `${counts?.[severity] ?? 0} ${severity} (allowed ${gate[severity]})`)
    .join(', ');
  const over = SEVERITIES.filter((severity) => (counts?.[severity] ?? 0) > (gate[severity] ?? Infinity));
  if (over.length === 0) return { passed: true, detail: `${image}: ${told}` };
  return failed(
    `${image}: ${told}${namesOf(scan, over)}. Fix them in a new release, or raise registry.scanGate in slipway.yaml.`,
  );
}

function failed(detail: string): Judged {
  return { passed: false, detail };
}

function withoutResult(
  { imageScanStatus: { status, description } = {} }: Scan,
  image: string,
  rescan: string,
): string {
  const remedy =
    status === 'UNSUPPORTED_IMAGE'
      ? 'Basic scanning does not know its operating system: use another base image or enhanced scanning, or take registry.scanGate out of slipway.yaml'
      : `Repeat it with ${rescan}`;
  return `The scan of ${image} has no result: ${status ?? 'no status'}${description ? ` (${description})` : ''}. ${remedy}.`;
}

/** Names of the findings that are over the gate, the worst first. */
function namesOf({ imageScanFindings }: Scan, over: readonly Severity[]): string {
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
