import { describe, expect, test } from '@jest/globals';
import { FAILED_OUTCOMES } from '../../src/domain/outcome.ts';
import { fitted, summarise, type DeploymentReport } from '../../src/domain/report.ts';

const AT = '2026-01-01T00:00:00.000Z';
const RELEASE = { version: '1.4.0', commit: 'a'.repeat(40) };

function aReport(changes: Partial<DeploymentReport> = {}): DeploymentReport {
  return {
    outcome: 'RolledBack',
    platform: 'notes',
    environment: 'staging',
    release: RELEASE,
    summary: 'what happened',
    startedBy: 'ada',
    startedAt: AT,
    endedAt: AT,
    approvals: [],
    ignored: [],
    steps: [],
    checks: [],
    metrics: [],
    undone: [],
    firstDeployment: false,
    ...changes,
  };
}

const UNDONE = [{ step: 'images', outcome: 'undone', detail: '' }] as const;

describe('the summary', () => {
  test('of a release that is live says so', () => {
    expect(summarise(aReport({ outcome: 'Completed' }))).toBe('1.4.0 in staging is live and verified.');
    expect(summarise(aReport({ outcome: 'Completed', reason: 'the ledger is closed' }))).toBe(
      '1.4.0 in staging is live and verified; but the ledger is closed.',
    );
  });

  test.each(FAILED_OUTCOMES)('of %s names the release, the environment and the reason', (outcome) => {
    const summary = summarise(aReport({ outcome, reason: 'because' }));
    expect(summary).toContain('1.4.0 in staging: because. ');
    expect(summary).not.toContain('live and verified');
    expect(summary).toContain(outcome === 'RollbackIncomplete' ? 'is dirty' : 'Nothing was changed.');
  });

  test('of what was taken back says what serves', () => {
    expect(summarise(aReport({ undone: UNDONE, serving: { version: '1.3.0', commit: 'b' } }))).toBe(
      'Rolled back 1.4.0 in staging. All changes were taken back. 1.3.0 serves.',
    );
    expect(summarise(aReport({ undone: UNDONE, firstDeployment: true }))).toContain(
      'Nothing serves: desired count 0.',
    );
    expect(summarise(aReport({ undone: UNDONE }))).toContain('What ran before serves again.');
  });

  test('of what could not be taken back names the steps and does not call it taken back', () => {
    const undone = [
      ...UNDONE,
      { step: 'terraform', outcome: 'failed', detail: 'x' },
      { step: 'migration', outcome: 'not possible', detail: 'x' },
    ] as const;
    const summary = summarise(aReport({ outcome: 'RollbackIncomplete', undone }));
    expect(summary).toBe(
      'Rollback incomplete: 1.4.0 in staging. Not taken back: terraform, migration. The environment is dirty.',
    );
  });
});

test('the summary of what was taken back does not say that what was destroyed came back', () => {
  const undone = [
    { step: 'terraform', outcome: 'undone', detail: '', beyondRecall: ['aws_db_instance.main'] },
  ] as const;
  expect(summarise(aReport({ undone, serving: { version: '1.3.0', commit: 'b' } }))).toBe(
    'Rolled back 1.4.0 in staging. All changes were taken back, but not what was in the resources that it destroyed or replaced. 1.3.0 serves.',
  );
});

describe('a fitted report', () => {
  const bytes = (value: unknown) => Buffer.byteLength(JSON.stringify(value));

  test('is left as it is when it fits', () => {
    const report = aReport({ checks: [{ name: 'a', passed: false, detail: '' }] });
    expect(fitted(report)).toEqual(report);
  });

  test('stays within its bytes whatever is in it', () => {
    const texts = [
      'x'.repeat(9000),
      'é'.repeat(9000),
      '\u0000'.repeat(9000),
      '😀'.repeat(9000),
      '"\\'.repeat(9000),
    ];
    for (const text of texts) {
      const report = aReport({
        summary: text,
        reason: text,
        startedBy: text.slice(0, 100),
        steps: Array.from({ length: 50 }, () => ({ name: 's', state: 'done', startedAt: AT, detail: text })),
        ignored: Array.from({ length: 50 }, () => ({ signal: 'hold', at: AT, reason: text })),
        checks: Array.from({ length: 50 }, () => ({ name: 'c', passed: false, detail: text })),
        canary: Array.from({ length: 50 }, () => ({
          service: 'web',
          weight: 10,
          startedAt: AT,
          looks: 1,
          reasons: [text],
        })),
      });
      for (const limit of [1024, 4096, 100_000]) {
        const cut = fitted(report, limit);
        expect(bytes(cut)).toBeLessThanOrEqual(limit);
        if (limit === 1024) expect(bytes(cut)).toBeGreaterThan(limit * 0.5);
        expect(cut).toMatchObject({ outcome: 'RolledBack', release: RELEASE, environment: 'staging' });
      }
    }
  });

  test('never cuts a character in two', () => {
    const cut = fitted(aReport({ reason: `a${'😀'.repeat(5000)}` }));
    expect(cut.reason?.isWellFormed()).toBe(true);
  });

  test('with a long reason still says what was checked', () => {
    const cut = fitted(
      aReport({ reason: 'x'.repeat(9000), checks: [{ name: 'a', passed: false, detail: 'b' }] }),
    );
    expect(cut.checks).toHaveLength(1);
    expect(cut.reason?.length).toBeGreaterThan(500);
  });

  test('adds nothing', () => {
    expect(fitted(aReport({ summary: 'x'.repeat(9000) }))).not.toHaveProperty('reason');
  });

  test('lets the checks that passed go first', () => {
    const checks = Array.from({ length: 100 }, (_, i) => ({
      name: `check ${i}`,
      passed: i !== 99,
      detail: 'y'.repeat(60),
    }));
    const cut = fitted(aReport({ checks }));
    expect(cut.checks[0]).toMatchObject({ name: 'check 99', passed: false });
    expect(cut.checks.length).toBeGreaterThan(10);
  });

  test("keeps of a canary the steps that did not pass, however many did, and the run's steps", () => {
    const step = { service: 'web', startedAt: AT, looks: 10, reasons: ['y'.repeat(200)] };
    const passed = Array.from({ length: 40 }, (_, i) => ({ ...step, weight: i, verdict: 'pass' as const }));
    const failed = { ...step, weight: 50, verdict: 'fail' as const };
    const steps = [{ name: 'plan', state: 'done' as const, startedAt: AT }];
    const cut = fitted(aReport({ canary: [...passed, failed], steps }));
    expect(cut.canary).toEqual([failed]);
    expect(cut.steps).toEqual(steps);
  });

  test('counts the changes and the drift that it leaves out', () => {
    const addresses = Array.from({ length: 100 }, (_, i) => `aws_a.b[${i}]`);
    const infrastructure = {
      counts: { create: 5000, update: 0, replace: 0, delete: 0 },
      changes: addresses.map((address) => ({ address, actions: ['create'], attributes: [] })),
      omitted: 4900,
      drift: {
        resources: addresses.map((address) => ({ address, kind: 'changed' as const, attributes: ['tags'] })),
        omitted: 7,
      },
    };
    for (const limit of [1024, 4096, 8192, 10_000]) {
      const { infrastructure: cut } = fitted(aReport({ infrastructure }), limit);
      expect(bytes(fitted(aReport({ infrastructure }), limit))).toBeLessThanOrEqual(limit);
      expect((cut?.changes.length ?? 0) + (cut?.omitted ?? 0)).toBe(5000);
      expect((cut?.drift?.resources.length ?? 0) + (cut?.drift?.omitted ?? 0)).toBe(107);
    }
    const { infrastructure: most } = fitted(aReport({ infrastructure }), 8192);
    expect(most?.drift?.resources).toHaveLength(100);
    expect(most?.changes.length).toBeGreaterThan(10);
  });

  test('of thousands of entries is cut in no time', () => {
    const ignored = Array.from({ length: 20_000 }, () => ({
      signal: 'hold',
      at: AT,
      reason: 'z'.repeat(50),
    }));
    const before = performance.now();
    fitted(aReport({ ignored }));
    expect(performance.now() - before).toBeLessThan(1000);
  });
});
