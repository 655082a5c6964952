import { describe, expect, test } from '@jest/globals';
import { showEvidence } from '../../src/cli/show-plan.ts';
import { showRun } from '../../src/cli/show-status.ts';
import type { Evidence } from '../../src/domain/evidence.ts';
import type { RunStatus, Waiting } from '../../src/domain/status.ts';

const AT = '2026-11-02T10:00:00.000Z';
const DIGEST = `sha256:${'1'.repeat(64)}` as const;

const aStatus = (changes: Partial<RunStatus> = {}): RunStatus => ({
  platform: 'notes',
  environment: 'production',
  release: { version: '1.4.0', commit: 'a'.repeat(40) },
  phase: 'web at 25 %',
  steps: [],
  ignored: [],
  ...changes,
});
const shown = (changes: Partial<RunStatus>): string[] =>
  showRun('r', aStatus(changes), '2026-11-02T10:26:00.000Z');

describe('a run in the terminal', () => {
  test('shows its canary step by step, in columns', () => {
    const step = { service: 'web', startedAt: AT, looks: 2, reasons: [] };
    const seen = { canary: { requests: 20, bad: 0 }, baseline: { requests: 90, bad: 1 }, deaths: 0 };
    const lines = shown({
      canary: [
        { ...step, weight: 10, seen, verdict: 'fail', reasons: ['9 of 20 failed'] },
        { ...step, service: 'gateway', weight: 100, looks: 12 },
      ],
    });
    expect(lines.slice(lines.indexOf('  Canary:') + 1)).toEqual([
      '    service  weight  looks  release             old version         verdict     why',
      '    web      10 %    2      20 requests, 0 bad  90 requests, 1 bad  ✘ fail      9 of 20 failed.',
      '    gateway  100 %   12                                             judged now',
    ]);
  });

  test('that is held says who, until when ECS lets it, and what goes on', () => {
    const lines = shown({
      held: { by: 'alice', since: AT, reason: 'errors' },
      paused: { services: ['web'], weight: 25, expiresAt: '2026-11-02T11:00:00.000Z' },
    });
    expect(lines).toContain(`  The canary is held by alice since ${AT}: errors. Go on: slipway resume r`);
    const asked = { what: 'resume', since: AT, commands: [], signal: 'resume' } as const;
    const waits = shown({ held: { by: 'alice', since: AT }, waiting: asked });
    expect(waits).toContain(`  The canary is held by alice since ${AT}.`);
    expect(waits.slice(-2)).toEqual(['    slipway resume r', '    slipway promote r --reason WHY']);
    expect(lines).toContain(
      '  web at 25 %: unless the run goes on, ECS puts the old version back by itself at 2026-11-02T11:00:00.000Z (in 34 min)',
    );
  });

  const waiting = (changes: Partial<Waiting>): string[] => {
    const lines = shown({
      waiting: { what: 'it', since: AT, commands: ['temporal ...'], signal: 'decide', ...changes },
    });
    return lines.slice(lines.findIndex((line) => line.startsWith('  Waits for it')));
  };

  test('offers the answers that its question takes, and no other', () => {
    expect(waiting({ signal: 'decide', actions: ['continue', 'rollback'], until: 'noon' })).toEqual([
      `  Waits for it (since ${AT}, until noon). Type next:`,
      '    slipway decide r --action continue',
      '    slipway decide r --action rollback',
      '    or  temporal ...',
    ]);
  });

  test('offers a tester both results, and an approver the evidence', () => {
    expect(waiting({ signal: 'recordManualTest' })).toContain('    slipway test-result r --passed');
    expect(
      shown({ evidence: DIGEST, waiting: { what: 'it', since: AT, commands: [], signal: 'approve' } }),
    ).toContain('    slipway approve r --evidence 111111111111');
  });
});

describe('evidence in the terminal', () => {
  const service = { image: DIGEST, taskDefinition: DIGEST };
  const evidence: Evidence = {
    manifest: { version: '1.4.0', commit: 'a'.repeat(40), images: {} },
    environment: 'production',
    settings: [],
    references: [],
    services: [
      { ...service, service: 'web', rollout: 'canary' },
      { ...service, service: 'api', rollout: 'canary' },
      { ...service, service: 'queue', rollout: 'rolling' },
    ],
    canary: { steps: [10, 100], bakeSeconds: 600, deadMan: { stepMinutes: 90, lastMinutes: 1500 } },
    policyDigest: DIGEST,
  };

  test('says which services go by canary, how, and when ECS goes back by itself', () => {
    expect(showEvidence(evidence, DIGEST)).toEqual(
      expect.arrayContaining([
        '  canary   web, api: 10 %, 100 % of the traffic, each judged for 10 min',
        '  dead man ECS puts the old version back by itself when a step is left alone for 1 h 30 min, 100 % for 1 d 1 h',
        expect.stringMatching(/^ {2}queue +rolling /),
      ]),
    );
  });

  test('says what others changed, and how much of a large change set is not listed', () => {
    const changeSet = {
      changes: [{ address: 'aws_a.b', actions: ['delete', 'create'], attributes: ['name'], hash: DIGEST }],
      unlisted: { count: 4960, unknown: [] },
      origin: { directory: 'terraform', backend: 's3', workspace: 'default', location: DIGEST },
      digest: DIGEST,
      counts: { create: 4960, update: 0, replace: 1, delete: 0 },
    } as const;
    const resources = [
      { address: 'aws_long.name', kind: 'changed', attributes: ['tags.owner'] },
      { address: 'aws_a.c', kind: 'deleted', attributes: [] },
    ] as const;
    const lines = showEvidence({ ...evidence, changeSet, drift: { resources, omitted: 0 } }, DIGEST);
    expect(
      lines.slice(lines.indexOf('Terraform'), lines.indexOf('Changed outside of Terraform') + 3),
    ).toEqual([
      'Terraform',
      '  4960 to create, 0 to update, 1 to replace, 0 to delete',
      '  delete+create aws_a.b: name',
      '  ... and 4,960 more',
      '',
      'Changed outside of Terraform',
      '  aws_long.name  changed: tags.owner',
      '  aws_a.c        deleted',
    ]);
    expect(showEvidence({ ...evidence, changeSet }, DIGEST).join('\n')).not.toContain('outside of Terraform');
  });

  test('of a release that rolls says nothing of a canary', () => {
    const { canary: _none, ...rolling } = evidence;
    expect(showEvidence(rolling, DIGEST).join('\n')).not.toMatch(/dead man|of the traffic/);
  });
});
