import { describe, expect, test } from '@jest/globals';
import * as state from '../../src/domain/environment-state.ts';
import type { EnvironmentState } from '../../src/domain/environment-state.ts';
import type { DeploymentRecord, Holder, LockRelease, LockRequest } from '../../src/domain/ledger.ts';

const NOW = '2026-01-01T00:00:00.000Z';

function anEnvironment(changes: Partial<EnvironmentState> = {}): EnvironmentState {
  return { ...state.newEnvironment('notes', 'staging', 3), ...changes };
}

function aRequest(requestId: string, changes: Partial<LockRequest> = {}): LockRequest {
  return {
    requestId,
    workflowId: `w-${requestId}`,
    firstExecutionRunId: 'r',
    purpose: `deploy ${requestId}`,
    ...changes,
  };
}

function aRecord(version: string, changes: Partial<DeploymentRecord> = {}): DeploymentRecord {
  return {
    manifest: { version, commit: 'a'.repeat(40), images: {} },
    taskDefinitions: {},
    desiredCounts: {},
    settings: [],
    approvals: [],
    startedBy: 'ada',
    workflowId: 'w',
    runId: 'r',
    startedAt: NOW,
    endedAt: NOW,
    outcome: 'Completed',
    ...changes,
  };
}

/** An environment whose lock `request` holds. */
function held(request = aRequest('a'), before = anEnvironment()): EnvironmentState & { holder: Holder } {
  const answer = state.nextAnswer(state.queued(before, request), NOW);
  if (answer.kind !== 'grant') throw new Error(`the lock was not granted: ${JSON.stringify(answer)}`);
  return { ...answer.state, holder: answer.holder };
}

function aRelease(holder: Holder, changes: Partial<LockRelease> = {}): LockRelease {
  const { requestId, workflowId, token } = holder;
  return { requestId, workflowId, token, ...changes };
}

const order = ({ queue }: EnvironmentState) => queue.map(({ requestId }) => requestId).join('');

describe('the queue', () => {
  test('keeps the order of arrival, and a repeat changes nothing', () => {
    let environment = anEnvironment();
    for (const id of ['a', 'b', 'a', 'c', 'b']) environment = state.queued(environment, aRequest(id));
    expect(order(environment)).toBe('abc');
  });

  test('takes those for the front before the others, among themselves in order of arrival', () => {
    let environment = anEnvironment();
    environment = state.queued(environment, aRequest('a'));
    environment = state.queued(environment, aRequest('x', { front: true }));
    environment = state.queued(environment, aRequest('b'));
    environment = state.queued(environment, aRequest('y', { front: true }));
    expect(order(environment)).toBe('xyab');
  });

  test('does not queue the holder again', () => {
    const environment = held();
    expect(state.queued(environment, aRequest('a'))).toBe(environment);
  });

  test('forgets a request that is withdrawn, and only that', () => {
    const environment = state.queued(state.queued(held(), aRequest('b')), aRequest('c'));
    expect(order(state.withdrawn(environment, 'b'))).toBe('c');
    expect(order(state.withdrawn(environment, 'nobody'))).toBe('bc');
    expect(state.withdrawn(environment, 'a').holder).toBeDefined();
  });

  test('whatever is asked in whatever order, one at a time holds and tokens only grow', () => {
    let environment = anEnvironment();
    let last = 0;
    const granted: string[] = [];
    for (let i = 0; i < 200; i++) {
      const id = String((i * 7919) % 53);
      environment = state.queued(environment, aRequest(id, { front: i % 5 === 0 }));
      const answer = state.nextAnswer(environment, NOW);
      if (environment.holder !== undefined) expect(answer.kind).toBe('none');
      if (answer.kind === 'grant') {
        expect(answer.holder.token).toEqual({ epoch: 3, counter: last + 1 });
        last += 1;
        granted.push(answer.holder.requestId);
        environment = answer.state;
      } else if (environment.holder !== undefined && i % 3 === 0) {
        environment = state.released(environment, aRelease(environment.holder), NOW).state;
      }
    }
    expect(granted.length).toBeGreaterThan(50);
    expect(environment.queue.some(({ requestId }) => requestId === environment.holder?.requestId)).toBe(
      false,
    );
  });
});

describe('the next answer', () => {
  test('is none where nobody waits or somebody holds', () => {
    expect(state.nextAnswer(anEnvironment(), NOW)).toEqual({ kind: 'none' });
    expect(state.nextAnswer(state.queued(held(), aRequest('b')), NOW)).toEqual({ kind: 'none' });
  });

  test('refuses in a dirty environment and says both ways out; a rollback takes it', () => {
    const dirty = anEnvironment({
      dirty: { version: '1.4.0', previousVersion: '1.3.0', workflowId: 'w', since: NOW, reason: 'lost' },
    });
    const refused = state.nextAnswer(state.queued(dirty, aRequest('a')), NOW);
    expect(refused).toMatchObject({ kind: 'refuse', request: { requestId: 'a' }, state: { queue: [] } });
    if (refused.kind !== 'refuse') return;
    expect(refused.reason).toContain('slipway rollback staging 1.4.0 1.3.0');
    expect(refused.reason).toContain('slipway env override staging --reason');
    const rollback = aRequest('r', { mayTakeDirty: true, front: true });
    expect(state.nextAnswer(state.queued(dirty, rollback), NOW).kind).toBe('grant');
  });

  test('refuses in a frozen environment and says how it ends; a rollback takes it', () => {
    const frozen = state.frozenBy(anEnvironment(), { by: 'ada', reason: 'holidays', since: NOW });
    const refused = state.nextAnswer(state.queued(frozen, aRequest('a')), NOW);
    expect(refused).toMatchObject({ kind: 'refuse' });
    expect(refused.kind === 'refuse' && refused.reason).toContain('frozen by ada');
    const rollback = aRequest('r', { mayTakeDirty: true });
    expect(state.nextAnswer(state.queued(frozen, rollback), NOW).kind).toBe('grant');
    const thawed = state.frozenBy(frozen, undefined);
    expect(thawed).not.toHaveProperty('frozen');
    expect(state.nextAnswer(state.queued(thawed, aRequest('a')), NOW).kind).toBe('grant');
  });

  test('after the front of the queue alone does not let a deployment into a frozen environment', () => {
    const frozen = state.frozenBy(anEnvironment(), { by: 'ada', reason: 'holidays', since: NOW });
    expect(state.nextAnswer(state.queued(frozen, aRequest('a', { front: true })), NOW).kind).toBe('refuse');
  });
});

describe('a release', () => {
  test('of the holder writes the ledger and frees the lock', () => {
    const environment = held();
    const record = aRecord('1.4.0');
    const { state: after, answer } = state.released(
      environment,
      aRelease(environment.holder, { record, current: true }),
      NOW,
    );
    expect(answer).toEqual({ requestId: 'a', accepted: true });
    expect(after).toMatchObject({ current: record, history: [record] });
    expect(after.holder).toBeUndefined();
  });

  test('of a failed run is in the history and leaves what serves', () => {
    const environment = held(
      aRequest('a'),
      anEnvironment({ current: aRecord('1.3.0'), history: [aRecord('1.3.0')] }),
    );
    const record = aRecord('1.4.0', { outcome: 'RolledBack' });
    const { state: after } = state.released(environment, aRelease(environment.holder, { record }), NOW);
    expect(after.current?.manifest.version).toBe('1.3.0');
    expect(after.history.map(({ manifest }) => manifest.version)).toEqual(['1.4.0', '1.3.0']);
  });

  test('without the proof changes nothing and names the holder', () => {
    const environment = held();
    const { holder } = environment;
    const forged: LockRelease[] = [
      aRelease(holder, { requestId: 'b' }),
      aRelease(holder, { token: { ...holder.token, counter: 0 } }),
      aRelease(holder, { token: { ...holder.token, epoch: 2 } }),
    ];
    for (const release of forged) {
      const { state: after, answer } = state.released(environment, { ...release, dirty: 'mine' }, NOW);
      expect(after).toBe(environment);
      expect(answer).toMatchObject({ accepted: false, reason: 'the lock is held by w-a' });
    }
    const free = anEnvironment();
    expect(state.released(free, aRelease(holder), NOW).answer.reason).toBe('the lock is held by nobody');
  });

  test('sent again, because its answer was lost, is accepted again and writes nothing twice', () => {
    const environment = held();
    const release = aRelease(environment.holder, { record: aRecord('1.4.0'), current: true });
    const once = state.released(environment, release, NOW).state;
    const twice = state.released(once, release, NOW);
    expect(twice.answer.accepted).toBe(true);
    expect(twice.state.history).toHaveLength(1);
  });

  test('sent again after the next run took the lock is accepted again, and the lock stays where it is', () => {
    const environment = held();
    const release = aRelease(environment.holder, { record: aRecord('1.4.0'), current: true });
    const next = held(aRequest('b'), state.released(environment, release, NOW).state);
    const again = state.released(next, release, NOW);
    expect(again.answer.accepted).toBe(true);
    expect(again.state.holder?.requestId).toBe('b');
    expect(again.state.history).toHaveLength(1);
  });

  test('that says dirty leaves the environment dirty, with what to go back to', () => {
    const before = held();
    const environment = state.undoRecorded(before, before.holder, {
      version: '1.4.0',
      previousVersion: '1.3.0',
      recordedAt: NOW,
    });
    const { state: after } = state.released(environment, aRelease(before.holder, { dirty: 'half' }), NOW);
    expect(after.dirty).toEqual({
      version: '1.4.0',
      previousVersion: '1.3.0',
      workflowId: 'w-a',
      since: NOW,
      reason: 'half',
    });
  });

  test('of a rollback that ended before its first change leaves a dirty environment dirty; one that is done cleans it', () => {
    const dirty = { version: '1.4.0', workflowId: 'w', since: NOW, reason: 'lost' };
    const environment = held(aRequest('r', { mayTakeDirty: true }), anEnvironment({ dirty }));
    expect(state.released(environment, aRelease(environment.holder), NOW).state.dirty).toEqual(dirty);
    const done = aRelease(environment.holder, { record: aRecord('1.3.0'), current: true });
    expect(state.released(environment, done, NOW).state).not.toHaveProperty('dirty');
  });
});

describe('a holder that is lost', () => {
  test('before its first change leaves the environment clean', () => {
    const after = state.holderLost(held(), 'a', NOW);
    expect(after).not.toHaveProperty('holder');
    expect(after).not.toHaveProperty('dirty');
  });

  test('after its first change leaves it dirty', () => {
    const environment = held();
    const undo = { version: '1.4.0', previousVersion: '1.3.0', recordedAt: NOW };
    const after = state.holderLost(state.undoRecorded(environment, environment.holder, undo), 'a', NOW);
    expect(after.dirty).toMatchObject({ version: '1.4.0', previousVersion: '1.3.0', workflowId: 'w-a' });
    expect(after).not.toHaveProperty('holder');
  });

  test('is not the present one: nothing changes', () => {
    const environment = held();
    expect(state.holderLost(environment, 'b', NOW)).toBe(environment);
    expect(state.holderLost(anEnvironment(), 'b', NOW)).toEqual(anEnvironment());
  });

  test("is not undone by a stranger's undo record", () => {
    const environment = held();
    const stranger = { requestId: 'b', token: environment.holder.token };
    const undo = { version: '9.9.9', recordedAt: NOW };
    expect(state.undoRecorded(environment, stranger, undo)).toBe(environment);
  });
});

describe('a rebuilt environment', () => {
  test('takes its holder on again, with the token it had', () => {
    const { holder } = held();
    const rebuilt = anEnvironment({ epoch: 4 });
    const after = state.adopted(rebuilt, holder);
    expect(after.holder).toEqual(holder);
    expect(state.released(after, aRelease(holder), NOW).answer.accepted).toBe(true);
  });

  test('does not take a second holder on', () => {
    const environment = held();
    expect(state.adopted(environment, { ...environment.holder, requestId: 'z' })).toBe(environment);
  });

  test('is dirty when its holder cannot be found: nobody knows what was changed', () => {
    const after = state.holderUnknown(anEnvironment(), 'w-lost', NOW);
    expect(after.dirty).toMatchObject({ version: 'unknown', workflowId: 'w-lost', since: NOW });
    expect(state.refusal(after, {})).toContain('w-lost');
    expect(state.refusal(after, {})).toContain('slipway env override staging');
    // Its ledger went with it: there is no version to name, and none to go back to.
    expect(state.refusal(after, {})).not.toContain('slipway rollback');
  });
});

test('an override cleans a dirty environment and is kept', () => {
  const dirty = state.holderUnknown(anEnvironment(), 'w', NOW);
  const after = state.overridden(dirty, { by: 'ada', reason: 'looked', at: NOW });
  expect(after).not.toHaveProperty('dirty');
  expect(after.lastOverride).toEqual({ by: 'ada', reason: 'looked', at: NOW });
});

test('the status says nothing of the tokens to come', () => {
  const status = state.statusOf(anEnvironment({ lastReleased: 'a' }));
  expect(Object.keys(status).toSorted()).toEqual(['environment', 'history', 'platform', 'queue']);
});

describe('the ledger keeps', () => {
  const good = (version: string) => aRecord(version);
  const bad = (version: string) => aRecord(version, { outcome: 'RolledBack' });
  const versions = (records: readonly DeploymentRecord[]) => records.map(({ manifest }) => manifest.version);

  test('the newest completed releases, and what failed since the oldest of them', () => {
    const history = [bad('6'), good('5'), bad('4'), good('3'), bad('2'), good('1')];
    expect(versions(state.kept(history, 2))).toEqual(['6', '5', '4', '3']);
    expect(versions(state.kept(history, 1))).toEqual(['6', '5']);
    expect(versions(state.kept(history, 9))).toEqual(versions(history));
  });

  test('the newest completed releases however many failed since', () => {
    const failures = Array.from({ length: 50 }, (_, i) => bad(`f${i}`));
    const keptRecords = state.kept([...failures, good('2'), good('1'), good('0')], 2);
    expect(versions(keptRecords.filter(({ outcome }) => outcome === 'Completed'))).toEqual(['2', '1']);
    expect(keptRecords.length).toBeLessThanOrEqual(4);
  });

  test('no more than twice as many records as releases, whatever happens, and never loses what serves', () => {
    for (let keep = 1; keep <= 4; keep++) {
      let environment = anEnvironment();
      for (let i = 0; i < 60; i++) {
        const completed = (i * 31) % 7 < 2;
        const holding = held(aRequest(String(i)), environment);
        const record = completed ? good(String(i)) : bad(String(i));
        const release = aRelease(holding.holder, { record, keep, ...(completed && { current: true }) });
        environment = state.released(holding, release, NOW).state;
        expect(environment.history.length).toBeLessThanOrEqual(2 * keep);
        if (environment.current !== undefined) expect(environment.history).toContain(environment.current);
      }
    }
  });
});
