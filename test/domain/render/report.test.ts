import { describe, expect, test } from '@jest/globals';
import type { CanaryStep } from '../../../src/domain/canary.ts';
import { reportHtml } from '../../../src/domain/render/report-html.ts';
import { reportMarkdown } from '../../../src/domain/render/report-markdown.ts';
import { duration } from '../../../src/domain/render/report-outline.ts';
import type { DeploymentReport, PipelineReport } from '../../../src/domain/report.ts';

const COMMIT = 'a'.repeat(40);

function aReport(changes: Partial<DeploymentReport> = {}): DeploymentReport {
  return {
    outcome: 'RolledBack',
    platform: 'notes',
    environment: 'production',
    release: { version: '1.4.0', commit: COMMIT },
    previous: { version: '1.3.2', commit: 'b'.repeat(40) },
    serving: { version: '1.3.2', commit: 'b'.repeat(40) },
    firstDeployment: false,
    summary: 'Rolled back 1.4.0 in production: web died. All changes were taken back. 1.3.2 serves.',
    reason: 'web died',
    startedBy: 'dana',
    startedAt: '2026-11-02T10:00:00.000Z',
    endedAt: '2026-11-02T10:12:05.000Z',
    evidence: `sha256:${'1'.repeat(64)}`,
    approvals: [
      { by: 'alice', at: '2026-11-02T10:01:00Z', counts: true, group: 'qa', comment: 'tested' },
      { by: 'mallory', at: '2026-11-02T10:02:00Z', counts: false, reason: 'not in qa' },
    ],
    ignored: [{ signal: 'promote', at: '2026-11-02T10:03:00Z', by: 'bob', reason: 'no canary' }],
    steps: [
      {
        name: 'terraform',
        state: 'done',
        startedAt: '2026-11-02T10:04:00.000Z',
        endedAt: '2026-11-02T10:04:45.000Z',
        detail: '1 changed',
      },
    ],
    checks: [{ name: 'scan web', passed: false, detail: '1 CRITICAL' }],
    metrics: [
      {
        service: 'web',
        metric: 'errorRate',
        outcome: 'fail',
        value: 0.0512,
        threshold: 0.01,
        requests: 900,
        reason: 'high',
      },
      { service: 'web', metric: 'cpu', outcome: 'pass', value: 41.5, reason: 'no threshold' },
    ],
    undone: [{ step: 'terraform', outcome: 'undone', detail: 'back to 1.3.2' }],
    ...changes,
  };
}

const aFailedStep: CanaryStep = {
  service: 'web',
  weight: 25,
  startedAt: '2026-11-02T10:05:00.000Z',
  endedAt: '2026-11-02T10:06:00.000Z',
  looks: 3,
  seen: {
    canary: { requests: 260, bad: 14, slow: 3 },
    baseline: { requests: 1043, bad: 0, slow: 1 },
    deaths: 0,
  },
  verdict: 'fail',
  reasons: ['5.38 % failed | allowed is 1 %'],
};

describe('a report as Markdown', () => {
  test('tells the outcome, what serves, and every list that is not empty', () => {
    const lines = reportMarkdown(aReport()).split('\n');
    expect(lines[0]).toBe('# ✘ notes 1.4.0 → production: RolledBack');
    expect(lines).toContain('- **Serves now:** 1.3.2 (bbbbbbbbbbbb)');
    expect(lines).toContain('- **Ended:** 2026-11-02T10:12:05.000Z, after 12 min 5 s');
    expect(lines).toContain('| terraform | done | 45 s | 1 changed |');
    expect(lines).toContain('| alice | yes, for qa | 2026-11-02T10:01:00Z | tested |');
    expect(lines).toContain('| mallory | no: not in qa | 2026-11-02T10:02:00Z |  |');
    expect(lines).toContain('| scan web | NO | 1 CRITICAL |');
    expect(lines).toContain('| web | errorRate | fail | 5.12 % | 1 % | 900 | high |');
    expect(lines).toContain('| web | cpu | pass | 41.5 % |  |  | no threshold |');
    expect(reportMarkdown(aReport({ checks: [] }))).not.toContain('## Checks');
    expect(reportMarkdown(aReport())).not.toContain('## Canary');
  });

  test('tells a canary step by step, what was seen beside the verdict', () => {
    const lines = reportMarkdown(aReport({ canary: [aFailedStep] })).split('\n');
    expect(lines).toContain('## Canary');
    expect(lines).toContain('| Service | Weight | Looks | Release | Old version | Verdict | Why |');
    expect(lines).toContain(
      '| web | 25 % | 3 | 260 requests, 14 bad, 3 slow | 1043 requests, 0 bad, 1 slow | ✘ fail | 5.38 % failed \\| allowed is 1 %. |',
    );
    expect(reportHtml(aReport({ canary: [aFailedStep] }))).toContain(
      '<tr><td>web</td><td>25 %</td><td>3</td><td>260 requests, 14 bad, 3 slow</td>',
    );
  });

  test('has the change set and the drift, what is left out of them as a number', () => {
    const infrastructure = {
      counts: { create: 4961, update: 1, replace: 0, delete: 0 },
      changes: [
        { address: 'aws_a.b', actions: ['update'], attributes: ['tags.owner', 'ttl'] },
        { address: 'aws_a.c["x|y"]', actions: ['create'], attributes: [] },
      ],
      omitted: 4960,
      drift: {
        resources: [
          { address: 'aws_a.b', kind: 'changed', attributes: ['tags.owner'] },
          { address: 'aws_a.d', kind: 'deleted', attributes: [] },
        ],
        omitted: 2,
      },
    } as const;
    const lines = reportMarkdown(aReport({ infrastructure })).split('\n');
    expect(lines).toContain('## Terraform: 4961 to create, 1 to update, 0 to replace, 0 to delete');
    expect(lines).toContain(String.raw`| update | aws\_a.b | tags.owner, ttl |`);
    expect(lines).toContain(String.raw`| create | aws\_a.c\["x\|y"\] |  |`);
    expect(lines).toContain('|  | ... and 4,960 more |  |');
    const drift = lines.slice(lines.indexOf('## Changed outside of Terraform'));
    expect(drift).toContain(String.raw`| aws\_a.b | changed: tags.owner |`);
    expect(drift).toContain(String.raw`| aws\_a.d | deleted |`);
    expect(drift).toContain('| ... and 2 more |  |');
    const { drift: _drift, ...quiet } = infrastructure;
    expect(reportMarkdown(aReport({ infrastructure: quiet }))).not.toContain('outside of Terraform');
  });

  test('says what did not come back although its step is undone', () => {
    const undone = [
      {
        step: 'terraform',
        outcome: 'undone',
        detail: 'back',
        beyondRecall: ['db was deleted: it comes back empty.'],
      },
    ] as const;
    const row = '| terraform | db was deleted: it comes back empty. |';
    expect(reportMarkdown(aReport({ undone }))).toContain(
      `## Did not come back\n\n| Step | What |\n| --- | --- |\n${row}`,
    );
    expect(reportHtml(aReport({ undone }))).toContain('<td>db was deleted: it comes back empty.</td>');
    expect(reportMarkdown(aReport())).not.toContain('Did not come back');
  });

  test.each([
    ['a | b', String.raw`a \| b`],
    ['line one\nline two', 'line one line two'],
    ['<img src=x onerror=alert(1)>', String.raw`&lt;img src=x onerror=alert(1)>`],
    ['[click](http://evil.example)', String.raw`\[click\](http://evil.example)`],
    ['`x` *y* _z_ ~s~', String.raw`\`x\` \*y\* \_z\_ \~s\~`],
    ['back\\slash|', String.raw`back\\slash\|`],
    ['@everyone &lt;', '&#64;everyone &amp;lt;'],
    ['# not a title', String.raw`\# not a title`],
  ])('a text cannot change its form: %j', (text, shown) => {
    const markdown = reportMarkdown(aReport({ undone: [{ step: 's', outcome: 'failed', detail: text }] }));
    expect(markdown).toContain(`| s | failed | ${shown} |`);
  });

  test.each([
    ['- item', String.raw`\- item`],
    ['> quote', String.raw`\> quote`],
    ['1. first', String.raw`1\. first`],
    ['=== title', String.raw`\=== title`],
  ])('a summary cannot begin a block: %j', (summary, shown) => {
    expect(reportMarkdown(aReport({ summary })).split('\n')).toContain(shown);
  });
});

describe('a report as HTML', () => {
  test('escapes every text, wherever it stands', () => {
    const evil = `<script>alert("1")</script>&'`;
    const html = reportHtml(
      aReport({
        summary: evil,
        startedBy: evil,
        platform: evil,
        undone: [{ step: evil, outcome: 'failed', detail: evil }],
        steps: [{ name: evil, state: 'failed', startedAt: evil, detail: evil }],
      }),
    );
    expect(html).not.toContain('<script');
    expect(html.split('&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;').length - 1).toBe(8);
  });

  test('is one page of its own, with the lists as tables', () => {
    const html = reportHtml(aReport());
    expect(html).toMatch(/^<!doctype html>\n<html lang="en">/);
    expect(html).toContain("default-src 'none'");
    expect(html).toContain('<tr><td>terraform</td><td>done</td><td>45 s</td><td>1 changed</td></tr>');
    expect(html).not.toMatch(/(src|href)=/);
  });
});

test("a pipeline's report names where it went, and holds the report of what failed it", () => {
  const report: PipelineReport = {
    outcome: 'RolledBack',
    platform: 'notes',
    release: { version: '1.4.0', commit: COMMIT },
    summary: 'web died. staging stays on 1.4.0.',
    deployed: ['staging'],
    failed: { environment: 'production', report: aReport() },
  };
  const markdown = reportMarkdown(report);
  expect(markdown).toContain('- **Deployed to:** staging\n- **Failed in:** production\n');
  expect(markdown).toContain('\n## ✘ notes 1.4.0 → production: RolledBack\n');
  expect(markdown).toContain('\n### Steps\n');
  expect(reportHtml(report)).toContain('<h2>notes 1.4.0 → production: ');
});

test.each([
  [1.24, '1.2 s'],
  [45, '45 s'],
  [725, '12 min 5 s'],
  [3 * 3600 + 300, '3 h 5 min'],
  [8 * 86_400 + 7200, '8 d 2 h'],
  [-5, '0.0 s'],
])('%d seconds are %s', (seconds, shown) => {
  const from = '2026-11-02T10:00:00.000Z';
  expect(duration(from, new Date(Date.parse(from) + seconds * 1000).toISOString())).toBe(shown);
});
