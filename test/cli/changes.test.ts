import { describe, expect, test } from '@jest/globals';
import { pipelineChanges, remembered, runChanges } from '../../src/cli/changes.ts';
import { differences } from '../../src/cli/start.ts';
import { columns, shortened } from '../../src/cli/columns.ts';
import { EXIT_CODES } from '../../src/cli/exit-codes.ts';
import { inPlace } from '../../src/cli/progress.ts';
import { printable, type Terminal } from '../../src/cli/terminal.ts';
import type { CanaryStep } from '../../src/domain/canary.ts';
import { FAILED_OUTCOMES } from '../../src/domain/outcome.ts';
import type { StepRecord } from '../../src/domain/report.ts';
import type { PipelineStatus, RunStatus, Waiting } from '../../src/domain/status.ts';

const RELEASE = { version: '1.4.0', commit: 'a'.repeat(40) };
const AT = '2026-11-02T10:00:00.000Z';

function aStatus(changes: Partial<RunStatus> = {}): RunStatus {
  return {
    platform: 'notes',
    environment: 'staging',
    release: RELEASE,
    phase: 'plan',
    steps: [],
    ignored: [],
    ...changes,
  };
}

function aStep(name: string, changes: Partial<StepRecord> = {}): StepRecord {
  return { name, state: 'running', startedAt: AT, ...changes };
}

function aCanaryStep(changes: Partial<CanaryStep> = {}): CanaryStep {
  return {
    service: 'web',
    weight: 25,
    startedAt: AT,
    looks: 2,
    seen: { canary: { requests: 260, bad: 14 }, baseline: { requests: 1043, bad: 0 }, deaths: 0 },
    reasons: [],
    ...changes,
  };
}

const DONE = { state: 'done', endedAt: '2026-11-02T10:00:05.000Z' } as const;

describe('changes of a run', () => {
  test('a step is told when it begins, when its detail changes, and when it ends', () => {
    const begun = aStatus({ steps: [aStep('plan')] });
    const noted = aStatus({ steps: [aStep('plan', { detail: 'half' })] });
    const ended = aStatus({ steps: [aStep('plan', { ...DONE, detail: 'all' }), aStep('lock')] });
    expect(runChanges('r', undefined, begun)).toEqual(['staging: ▶ plan']);
    expect(runChanges('r', begun, begun)).toEqual([]);
    expect(runChanges('r', begun, noted)).toEqual(['staging:   plan: half']);
    expect(runChanges('r', noted, ended)).toEqual(['staging: ✔ plan: all (5.0 s)', 'staging: ▶ lock']);
    expect(runChanges('r', ended, ended)).toEqual([]);
  });

  test('a question comes with the commands that answer it, once', () => {
    const command = "temporal workflow signal --workflow-id 'r' --name approve --input '{}'";
    const waiting = { what: 'approval', since: AT, commands: [command], signal: 'approve' } as const;
    const missing = [{ group: 'qa', count: 1, candidates: ['carol'] }];
    const asks = aStatus({
      waiting,
      evidence: `sha256:${'1'.repeat(64)}`,
      approvals: { satisfied: false, missing, judged: [] },
    });
    expect(runChanges('r', aStatus(), asks)).toEqual([
      'staging: ⏸ waits for approval (1 of qa (carol))',
      'staging:     slipway approve r --evidence 111111111111',
      'staging:     slipway reject r --reason WHY',
    ]);
    expect(runChanges('r', asks, asks)).toEqual([]);
  });

  test('a decision is asked with the answers that the question takes, and until when', () => {
    const waiting = {
      what: 'the canary of web at 25 % is inconclusive',
      since: AT,
      until: '2026-11-02T11:00:00.000Z',
      commands: [],
      signal: 'decide',
      actions: ['continue', 'retry', 'rollback'],
    } as const;
    expect(runChanges('r', aStatus(), aStatus({ waiting }))).toEqual([
      'staging: ⏸ waits for the canary of web at 25 % is inconclusive, until 2026-11-02T11:00:00.000Z',
      'staging:     slipway decide r --action continue',
      'staging:     slipway decide r --action retry',
      'staging:     slipway decide r --action rollback',
    ]);
  });

  test('a question is told once though the run looks around in between, and again when it is another', () => {
    const question = { what: 'it', since: AT, commands: [], signal: 'decide' } as const;
    const asks = (changes: Partial<Waiting> = {}) => aStatus({ waiting: { ...question, ...changes } });
    const told = (...statuses: RunStatus[]): number[] => {
      let before: RunStatus | undefined;
      return statuses.map((status) => {
        const lines = runChanges('r', before, status);
        before = remembered(before, status);
        return lines.filter((line) => line.includes('waits for')).length;
      });
    };
    const [noon, one] = ['2026-11-02T12:00:00.000Z', '2026-11-02T13:00:00.000Z'];
    expect(told(asks({ until: noon }), aStatus(), aStatus(), asks({ until: noon }))).toEqual([1, 0, 0, 0]);
    expect(told(asks({ until: noon }), aStatus(), asks({ until: one }))).toEqual([1, 0, 1]);
    expect(told(asks(), aStatus(), asks())).toEqual([1, 0, 1]);
    const evidence = `sha256:${'2'.repeat(64)}`;
    expect(told(asks({ until: noon }), { ...asks({ until: noon }), evidence })).toEqual([1, 1]);
  });

  test("a canary's weight, each new look and the verdict are told as they come, once", () => {
    const paused = { services: ['web', 'api'], weight: 25, expiresAt: '2026-11-02T11:00:00.000Z' };
    const arrived = aStatus({ paused });
    const looked = aStatus({ paused, canary: [aCanaryStep({ looks: 1 })] });
    const again = aStatus({ paused, canary: [aCanaryStep({ looks: 3 })] });
    const judged = aStatus({
      paused,
      canary: [aCanaryStep({ looks: 3, verdict: 'fail', reasons: ['5.38 % failed'] })],
    });
    expect(runChanges('r', aStatus(), arrived)).toEqual([
      'staging:   web, api at 25 %: unless the run goes on, ECS puts the old version back by itself at 2026-11-02T11:00:00.000Z',
    ]);
    expect(runChanges('r', arrived, looked)).toEqual([
      'staging:   web at 25 %, look 1: release 260 requests, 14 bad; old version 1043 requests, 0 bad',
    ]);
    expect(runChanges('r', looked, looked)).toEqual([]);
    expect(runChanges('r', looked, again)).toEqual([expect.stringContaining('web at 25 %, look 3: ')]);
    expect(runChanges('r', again, judged)).toEqual(['staging: ✘ fail: web at 25 %: 5.38 % failed.']);
    expect(runChanges('r', judged, judged)).toEqual([]);
    expect(runChanges('r', arrived, judged)).toHaveLength(2);
    const passed = aStatus({
      paused,
      canary: [aCanaryStep({ looks: 3, verdict: 'pass', reasons: ['All fine.'] })],
    });
    expect(runChanges('r', again, passed)).toEqual(['staging: ✔ pass: web at 25 %']);
  });

  test('a step that is judged again is told again, and so is the same weight of another service', () => {
    const first = aCanaryStep({ verdict: 'inconclusive' });
    const retried = aCanaryStep({ startedAt: '2026-11-02T10:30:00.000Z', looks: 1 });
    const other = aCanaryStep({ service: 'api', looks: 1 });
    expect(
      runChanges('r', aStatus({ canary: [first] }), aStatus({ canary: [first, retried, other] })),
    ).toEqual([
      expect.stringContaining('web at 25 %, look 1'),
      expect.stringContaining('api at 25 %, look 1'),
    ]);
  });

  test("a hold is told with who and until when; its end too, but not the run's", () => {
    const paused = { services: ['web'], weight: 25, expiresAt: '2026-11-02T11:00:00.000Z' };
    const free = aStatus({ paused });
    const held = aStatus({ paused, held: { by: 'alice', since: AT, reason: 'errors' } });
    expect(runChanges('r', free, held)).toEqual([
      `staging: ⏸ held by alice since ${AT}: errors (ECS puts the old version back at 2026-11-02T11:00:00.000Z)`,
    ]);
    expect(runChanges('r', held, held)).toEqual([]);
    expect(runChanges('r', held, free)).toEqual(['staging: ▶ no longer held']);
    expect(runChanges('r', held, aStatus({ paused, outcome: 'RolledBack' }))).toEqual([]);
  });

  test('what did not count is told once', () => {
    const ignored = [{ signal: 'abort', at: AT, by: 'mallory', reason: 'not in operators' }];
    const after = aStatus({ ignored });
    expect(runChanges('r', aStatus(), after)).toEqual([
      'staging: ⚠ abort by mallory did not count: not in operators',
    ]);
    expect(runChanges('r', after, after)).toEqual([]);
  });
});

test("an environment's beginning and end are told apart, also when both are seen at once", () => {
  const pipeline = (state: 'pending' | 'running' | 'done'): PipelineStatus => ({
    platform: 'notes',
    release: RELEASE,
    environments: [{ environment: 'staging', state, ...(state !== 'pending' && { workflowId: 'id' }) }],
  });
  const begins = ['staging: begins (id)'];
  expect(pipelineChanges(undefined, pipeline('pending'))).toEqual({ begun: [], ended: [] });
  expect(pipelineChanges(pipeline('pending'), pipeline('running'))).toEqual({ begun: begins, ended: [] });
  expect(pipelineChanges(pipeline('running'), pipeline('done'))).toEqual({
    begun: [],
    ended: ['staging: done'],
  });
  expect(pipelineChanges(pipeline('pending'), pipeline('done'))).toEqual({
    begun: begins,
    ended: ['staging: done'],
  });
});

test('a run that is drawn in place goes back over what it drew, and never wraps or scrolls', () => {
  let drawn = '';
  const terminal: Terminal = {
    env: {},
    interactive: true,
    columns: 40,
    rows: 12,
    write: (text) => void (drawn += text),
    writeError: () => undefined,
    interruption: () => new AbortController().signal,
    ask: () => Promise.resolve(undefined),
  };
  const audience = inPlace(terminal);
  const steps = Array.from({ length: 30 }, (_, i) => aStep(`step ${i} ${'x'.repeat(60)}`));
  const view = { id: 'r', status: aStatus({ steps }), children: new Map<string, RunStatus>() };
  audience.see(view, []);
  const first = drawn.split('\n').slice(0, -1);
  expect(first).toHaveLength(11);
  expect(Math.max(...first.map((line) => line.length))).toBeLessThanOrEqual(40);
  audience.see(view, []);
  expect(drawn).toContain('\u001b[11F\u001b[0J');
});

test('the same release is the same run, whoever asks for it; another commit or a farther end is not', () => {
  const running = { versionTag: '1.4.0', commitHash: 'a', startedBy: 'dana' };
  expect(differences({ ...running, startedBy: 'erin' }, running)).toEqual([]);
  expect(differences({ ...running, commitHash: 'b' }, running)).toEqual(['commitHash: a runs, b was asked']);
  expect(differences({ ...running, through: 'staging' }, running)).toEqual([
    'through: none runs, staging was asked',
  ]);
});

test('columns are aligned by what people see, and a long text is cut', () => {
  expect(
    columns([
      ['é', 'x'],
      ['abc', 'y', 'z'],
    ]),
  ).toEqual(['é    x', 'abc  y  z']);
  expect(shortened('one\n  two three', 9)).toBe('one two …');
});

test('what would steer a terminal is shown, not obeyed', () => {
  expect(printable('a\u001b[2Jb\u202ec\rd')).toBe('a\u{fffd}[2Jb\u{fffd}c\u{fffd}d');
  expect(printable('one\n\ttwo →')).toBe('one\n\ttwo →');
});

test('every failed outcome has an exit code of its own', () => {
  const codes = Object.values(EXIT_CODES).map(({ code }) => code);
  expect(new Set(codes).size).toBe(codes.length);
  expect(FAILED_OUTCOMES.filter((outcome) => EXIT_CODES[outcome].code === 0)).toEqual([]);
});
