import { describe, expect, test } from '@jest/globals';
import { judgeScan } from '../../../src/activities/registry/scan-verdict.ts';
import type { Scan } from '../../../src/activities/registry/scan-verdict.ts';

const gate = { CRITICAL: 0, HIGH: 2 };
const judge = (scan: Scan) => judgeScan(scan, 'the image', '`scan`', gate);
const finding = (name: string, severity: 'CRITICAL' | 'HIGH') => ({ name, severity });

describe('enhanced scanning', () => {
  test('passes by its counts', () => {
    const scan: Scan = {
      imageScanStatus: { status: 'ACTIVE' },
      imageScanFindings: { findingSeverityCounts: { HIGH: 2, MEDIUM: 40 } },
    };
    expect(judge(scan)).toEqual({
      passed: true,
      detail: 'the image: 0 CRITICAL (allowed 0), 2 HIGH (allowed 2)',
    });
  });

  test('names its findings by vulnerability', () => {
    const enhancedFindings = [
      { severity: 'CRITICAL', packageVulnerabilityDetails: { vulnerabilityId: 'CVE-7' } },
    ];
    const imageScanFindings = { findingSeverityCounts: { CRITICAL: 1 }, enhancedFindings };
    expect(judge({ imageScanStatus: { status: 'ACTIVE' }, imageScanFindings })).toMatchObject({
      passed: false,
      detail: expect.stringContaining('1 CRITICAL (allowed 0), 0 HIGH (allowed 2): CVE-7. Fix'),
    });
  });

  test('does not pass by the empty list that it answers with before its first result', () => {
    expect(judge({ imageScanStatus: { status: 'ACTIVE' }, imageScanFindings: { findings: [] } })).toEqual({
      passed: false,
      detail: 'The scan of the image has no result yet: ACTIVE. Start again when it has one.',
    });
  });
});

test('a completed scan without any count found nothing', () => {
  const imageScanFindings = { imageScanCompletedAt: new Date(0) };
  expect(judge({ imageScanStatus: { status: 'COMPLETE' }, imageScanFindings })).toMatchObject({
    passed: true,
  });
});

test('five findings are named, the worst first', () => {
  const findings = [
    ...[1, 2, 3, 4, 5].map((i) => finding(`HIGH-${i}`, 'HIGH')),
    finding('CRITICAL-1', 'CRITICAL'),
  ];
  const imageScanFindings = { findingSeverityCounts: { CRITICAL: 1, HIGH: 5 }, findings };
  expect(judge({ imageScanStatus: { status: 'COMPLETE' }, imageScanFindings }).detail).toContain(
    ': CRITICAL-1, HIGH-1, HIGH-2, HIGH-3, HIGH-4, .... Fix',
  );
});

test.each([
  ['PENDING', 'still under way'],
  ['FAILED', 'Repeat it with `scan`'],
  ['UNSUPPORTED_IMAGE', 'use another base image or enhanced scanning'],
  ['SCAN_ELIGIBILITY_EXPIRED', 'no result: SCAN_ELIGIBILITY_EXPIRED'],
  ['FINDINGS_UNAVAILABLE', 'no result: FINDINGS_UNAVAILABLE'],
  ['LIMIT_EXCEEDED', 'no result: LIMIT_EXCEEDED'],
] as const)('%s is not a pass', (status, told) => {
  const imageScanFindings = { findingSeverityCounts: {} };
  expect(judge({ imageScanStatus: { status }, imageScanFindings })).toMatchObject({
    passed: false,
    detail: expect.stringContaining(told),
  });
});

test('no status is not a pass', () => {
  expect(judge({})).toMatchObject({ passed: false, detail: expect.stringContaining('no status') });
});
