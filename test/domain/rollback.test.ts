import { describe, expect, test } from '@jest/globals';
import type { DeploymentRecord, EnvironmentStatus } from '../../src/domain/ledger.ts';
import type { Outcome } from '../../src/domain/outcome.ts';
import { judgeRollback, lostOnTheWay, originLeft } from '../../src/domain/rollback.ts';

function aRecord(version: string, outcome: Outcome = 'Completed'): DeploymentRecord {
  return {
    manifest: { version, commit: 'a'.repeat(40), images: {} },
    taskDefinitions: {},
    desiredCounts: {},
    settings: [],
    approvals: [],
    startedBy: 'ada',
    workflowId: 'w',
    runId: 'r',
    startedAt: 't',
    endedAt: 't',
    outcome,
  };
}

const DIRTY = { version: '1.5.0', workflowId: 'w', since: 't', reason: 'lost' };
const HISTORY = [aRecord('1.4.0'), aRecord('1.3.0'), aRecord('1.2.0', 'RolledBack'), aRecord('1.1.0')];

function judge(
  failedVersion: string,
  targetVersion: string,
  status: Partial<EnvironmentStatus> = { history: HISTORY, current: HISTORY[0]! },
) {
  return judgeRollback({ environment: 'staging', failedVersion, targetVersion }, { history: [], ...status });
}

test('what is left has the state of the release that was tried last, or of the one that serves', () => {
  const at = (location: string) => ({
    terraformOrigin: {
      directory: 't',
      backend: 's3',
      workspace: 'w',
      location: `sha256:${location}` as const,
    },
  });
  const current = { ...aRecord('1.4.0'), ...at('old') };
  const tried = { ...aRecord('1.5.0', 'RollbackIncomplete'), ...at('new') };
  expect(originLeft({ history: [current], current })).toEqual(current.terraformOrigin);
  expect(originLeft({ history: [tried, current], current, dirty: DIRTY })).toEqual(tried.terraformOrigin);
  expect(originLeft({ history: [current], current, dirty: DIRTY })).toEqual(current.terraformOrigin);
  expect(originLeft({ history: [] })).toBeUndefined();
});

test('what releases since then took away does not come back, but for those that went back themselves', () => {
  const lossy = (version: string, outcome: Outcome = 'Completed') => ({
    ...aRecord(version, outcome),
    runId: version,
    beyondRecall: [`lost with ${version}`],
  });
  const target = lossy('1.3.0');
  const history = [
    lossy('1.6.0', 'RollbackIncomplete'),
    lossy('1.5.0'),
    lossy('1.4.0', 'RolledBack'),
    target,
  ];
  expect(lostOnTheWay(structuredClone(target), { history })).toEqual(['lost with 1.6.0', 'lost with 1.5.0']);
  expect(lostOnTheWay(lossy('1.0.0'), { history })).toEqual([]);
});

describe('a rollback', () => {
  test('goes to any release that once was live, with its newest record', () => {
    expect(judge('1.4.0', '1.3.0')).toEqual({ kind: 'possible', record: HISTORY[1] });
    expect(judge('1.4.0', '1.1.0')).toEqual({ kind: 'possible', record: HISTORY[3] });
    const twice = [aRecord('1.4.0'), aRecord('1.3.0'), aRecord('1.3.0')];
    expect(judge('1.4.0', '1.3.0', { history: twice, current: twice[0]! })).toMatchObject({
      record: twice[1],
    });
    expect(twice[1]).not.toBe(twice[2]);
  });

  test('does not go to a release that never was live, and names those that were', () => {
    for (const target of ['1.2.0', '9.9.9']) {
      expect(judge('1.4.0', target)).toMatchObject({
        kind: 'refused',
        reason: expect.stringContaining('it knows 1.4.0, 1.3.0, 1.1.0'),
      });
    }
    expect(judge('1.4.0', '1.3.0', {})).toMatchObject({
      reason: expect.stringContaining('no release has been deployed here yet'),
    });
  });

  test('does not leave a release that neither runs nor was tried last, and says what runs', () => {
    expect(judge('1.3.0', '1.1.0')).toMatchObject({
      kind: 'refused',
      reason: expect.stringContaining('1.4.0 runs'),
    });
  });

  test('does not go to what runs already', () => {
    const tried = [aRecord('1.5.0', 'RolledBack'), ...HISTORY];
    expect(judge('1.5.0', '1.4.0', { history: tried, current: HISTORY[0]! })).toMatchObject({
      kind: 'refused',
      reason: expect.stringContaining('1.4.0 is what runs in staging already'),
    });
  });

  test('cleans a dirty environment, back to what ran before as well', () => {
    const status = { history: HISTORY, current: HISTORY[0]!, dirty: DIRTY };
    expect(judge('1.5.0', '1.4.0', status)).toMatchObject({ kind: 'possible' });
    expect(judge('1.5.0', '1.3.0', status)).toMatchObject({ kind: 'possible' });
  });
});
