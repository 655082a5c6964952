import { describe, expect, test } from '@jest/globals';
import type { CanaryStep } from '../../../src/domain/canary.ts';
import { canaryEnd, canaryLook, canaryRows } from '../../../src/domain/render/canary.ts';
import { renderStatus } from '../../../src/domain/render/status.ts';
import type { RunStatus } from '../../../src/domain/status.ts';

const AT = '2026-11-02T10:00:00.000Z';

const aStep = (changes: Partial<CanaryStep> = {}): CanaryStep => ({
  service: 'web',
  weight: 25,
  startedAt: AT,
  looks: 3,
  seen: {
    canary: { requests: 260, bad: 14, slow: 3 },
    baseline: { requests: 1043, bad: 0, slow: 1 },
    deaths: 0,
  },
  reasons: [],
  ...changes,
});

const aStatus = (changes: Partial<RunStatus> = {}): RunStatus => ({
  platform: 'notes',
  environment: 'production',
  release: { version: '1.4.0', commit: 'a'.repeat(40) },
  phase: 'web at 25 %',
  steps: [{ name: 'web at 25 %', state: 'running', startedAt: AT }],
  ignored: [],
  ...changes,
});

describe("a canary's step", () => {
  test.each<[string, Partial<CanaryStep>, string[]]>([
    [
      'being judged',
      {},
      ['web', '25 %', '3', '260 requests, 14 bad, 3 slow', '1043 requests, 0 bad, 1 slow', 'judged now', ''],
    ],
    ['not looked at yet', { looks: 0, seen: undefined }, ['web', '25 %', '0', '', '', 'judged now', '']],
    [
      'whose tasks died, without traffic',
      {
        seen: { canary: { requests: 0, bad: 0 }, baseline: { requests: 9, bad: 1 }, deaths: 2 },
        verdict: 'fail',
        reasons: ['2 tasks died', 'Allowed is 1.'],
      },
      [
        'web',
        '25 %',
        '3',
        'no requests, 2 died',
        '9 requests, 1 bad',
        '✘ fail',
        '2 tasks died. Allowed is 1.',
      ],
    ],
  ] as [string, Partial<CanaryStep>, string[]][])('%s', (_what, changes, row) => {
    expect(canaryRows([aStep(changes)])).toEqual([row]);
  });

  test('that no target answered has bad requests, however few were counted', () => {
    const seen = { canary: { requests: 0, bad: 4 }, baseline: { requests: 9, bad: 0 }, deaths: 0 };
    expect(canaryLook(aStep({ seen }))).toBe(
      'web at 25 %, look 3: release 0 requests, 4 bad; old version 9 requests, 0 bad',
    );
  });

  test('is told by its verdict', () => {
    const verdicts = (['pass', 'fail', 'inconclusive', 'skipped'] as const).map(
      (verdict) => canaryRows([aStep({ verdict })])[0]?.[5],
    );
    expect(verdicts).toEqual(['✔ pass', '✘ fail', '? inconclusive', '» skipped']);
  });
});

test('a step that passed is told by its figures, one that did not by the reasons too', () => {
  const reasons = ['0 of 260 failed', '14 may'];
  expect(canaryRows([aStep({ verdict: 'pass', reasons })])[0]?.at(-1)).toBe('');
  const figures = 'web 260 requests, 14 bad, 3 slow; old version 1043 requests, 0 bad, 1 slow';
  expect(canaryEnd(aStep({ verdict: 'pass', reasons }))).toBe(`pass: ${figures}`);
  expect(canaryEnd(aStep({ verdict: 'skipped', reasons }))).toBe(
    `skipped: ${figures} (0 of 260 failed. 14 may.)`,
  );
});

describe('the status as Markdown', () => {
  test('has the canary as a table, with who holds it and when ECS goes back', () => {
    const markdown = renderStatus(
      aStatus({
        canary: [
          aStep({ verdict: 'skipped', reasons: ['alice: hurry | now'] }),
          aStep({ weight: 50, looks: 1 }),
        ],
        paused: { services: ['web', 'api'], weight: 50, expiresAt: '2026-11-02T11:00:00.000Z' },
        held: { by: 'alice', since: AT, reason: 'errors | <b>' },
      }),
    );
    expect(markdown.split('\n').slice(3)).toEqual([
      '- ▶ web at 25 %',
      '',
      '| Service | Weight | Looks | Release | Old version | Verdict | Why |',
      '| --- | --- | --- | --- | --- | --- | --- |',
      String.raw`| web | 25 % | 3 | 260 requests, 14 bad, 3 slow | 1043 requests, 0 bad, 1 slow | » skipped | alice: hurry \| now. |`,
      '| web | 50 % | 1 | 260 requests, 14 bad, 3 slow | 1043 requests, 0 bad, 1 slow | judged now |  |',
      '',
      String.raw`**Canary held by alice since 2026-11-02T10:00:00.000Z: errors \| &lt;b>**`,
      '',
      'web, api at 50 %: unless the run goes on, ECS puts the old version back by itself at 2026-11-02T11:00:00.000Z',
    ]);
  });

  test('says nothing of a canary where there is none', () => {
    expect(renderStatus(aStatus({ canary: [] }))).toBe(renderStatus(aStatus()));
    expect(renderStatus(aStatus())).not.toMatch(/canary|Looks/i);
  });
});

test('an approval that is waited for is shown with what Terraform would do', () => {
  const terraform = '~ aws_x.a: update\n    size: 1 -> 2';
  const waiting = { what: 'approval', since: AT, commands: ['temporal ...'], signal: 'approve' } as const;
  expect(renderStatus(aStatus({ waiting: { ...waiting, terraform } }))).toContain(
    `\n\n\`\`\`text\n${terraform}\n\`\`\`\n\n**Waits for approval**`,
  );
});
