import { describe, expect, test } from '@jest/globals';
import { mayDo, tally, unreachable, type Approval } from '../../src/domain/approval.ts';
import type { ApprovalPolicy } from '../../src/domain/policy.ts';

const NOW = `sha256:${'1a'.repeat(32)}`;
const EARLIER = `sha256:${'2b'.repeat(32)}`;

function aPolicy(changes: Partial<ApprovalPolicy> = {}): ApprovalPolicy {
  return {
    required: { managers: 1, qa: 1 },
    groups: { managers: ['alice', 'bob'], qa: ['carol', 'alice'] },
    starterMayApprove: false,
    evidenceRequired: false,
    expiresAfterSeconds: 60,
    ...changes,
  };
}

function by(...people: string[]): Approval[] {
  return people.map((person) => anApproval({ by: person }));
}

function anApproval(changes: Partial<Approval> = {}): Approval {
  return { by: 'bob', at: '2026-01-01T00:00:00.000Z', given: NOW, ...changes };
}

function reasons(approvals: readonly Approval[], policy = aPolicy(), evidence: string | undefined = NOW) {
  return tally(policy, evidence, 'starter', approvals).judged.map((one) =>
    one.counts ? one.group : one.reason,
  );
}

describe('N of M', () => {
  test('is satisfied when every group has given what it must, and says before that what is missing', () => {
    const policy = aPolicy({ required: { managers: 2, qa: 1 } });
    const half = tally(policy, NOW, 'starter', by('bob'));
    expect(half.satisfied).toBe(false);
    expect(half.missing).toEqual([
      { group: 'managers', count: 1, candidates: ['alice'] },
      { group: 'qa', count: 1, candidates: ['carol', 'alice'] },
    ]);
    const whole = tally(policy, NOW, 'starter', by('bob', 'carol', 'alice'));
    expect(whole).toMatchObject({ satisfied: true, missing: [] });
  });

  test('counts nobody twice, and nobody who is in no group that is asked', () => {
    const policy = aPolicy({
      required: { managers: 2 },
      groups: { managers: ['bob', 'alice'], others: ['mallory'] },
    });
    expect(reasons(by('bob', 'bob', 'mallory', 'nobody'), policy)).toEqual([
      'managers',
      'bob has approved already',
      'mallory is not in managers, whose approval is asked',
      'nobody is not in managers, whose approval is asked',
    ]);
  });

  test('takes no more of a group than it must give', () => {
    const policy = aPolicy({ required: { managers: 1 } });
    expect(reasons(by('bob', 'alice'), policy)).toEqual([
      'managers',
      'managers already has all the approvals it needs',
    ]);
  });

  test('asks nothing of a group whose number is 0', () => {
    expect(tally(aPolicy({ required: { managers: 0 } }), NOW, 'starter', [])).toMatchObject({
      satisfied: true,
      missing: [],
    });
  });
});

describe('a person in several groups', () => {
  test('moves to where the others are not, whatever the order in which they come', () => {
    expect(reasons(by('alice', 'bob'))).toEqual(['qa', 'managers']);
    expect(reasons(by('bob', 'alice'))).toEqual(['managers', 'qa']);
    expect(reasons(by('alice', 'carol'))).toEqual(['managers', 'qa']);
  });

  test('is counted in the best way there is: as many seats as any choice of groups would fill', () => {
    const random = aRandom(7);
    for (let round = 0; round < 300; round++) {
      const policy = aRandomPolicy(random);
      const people = PEOPLE.filter(() => random() < 0.6);
      const { judged } = tally(policy, NOW, 'starter', by(...people));
      const counted = judged.filter(({ counts }) => counts).length;
      expect(counted).toBe(mostSeats(policy, people, new Map(Object.entries(policy.required))));
    }
  });

  test('who counts is never in a group of which they are no member, and no group gets more than it asked', () => {
    const random = aRandom(11);
    for (let round = 0; round < 300; round++) {
      const policy = aRandomPolicy(random);
      const { judged, missing, satisfied } = tally(policy, NOW, 'starter', by(...PEOPLE));
      for (const one of judged) {
        if (one.counts) expect(policy.groups[one.group]).toContain(one.by);
      }
      for (const [group, count] of Object.entries(policy.required)) {
        const given = judged.filter((one) => one.counts && one.group === group).length;
        const short = missing.find((shortfall) => shortfall.group === group)?.count ?? 0;
        expect(given + short).toBe(count);
      }
      expect(satisfied).toBe(missing.length === 0);
    }
  });
});

describe('the starter', () => {
  test('may not approve, nor is named as one who could', () => {
    const { judged, missing } = tally(aPolicy(), NOW, 'alice', by('alice'));
    expect(judged).toMatchObject([
      { counts: false, reason: 'alice started this run and may not approve it' },
    ]);
    expect(missing.flatMap(({ candidates }) => candidates)).toEqual(['bob', 'carol']);
  });

  test('may when the policy says so', () => {
    const policy = aPolicy({ starterMayApprove: true });
    expect(tally(policy, NOW, 'alice', by('alice', 'bob')).satisfied).toBe(true);
  });
});

describe('the evidence', () => {
  test('may be named by its first digits', () => {
    const hexadecimal = NOW.slice('sha256:'.length);
    for (const length of [8, 9, 63, 64]) {
      expect(reasons([anApproval({ evidence: hexadecimal.slice(0, length) })])).toEqual(['managers']);
    }
    expect(reasons([anApproval({ evidence: 'ffffffff' })])).toEqual([
      'it is for evidence ffffffff, the evidence now is 1a1a1a1a1a1a',
    ]);
    expect(reasons([anApproval({ evidence: `${hexadecimal}0` })])[0]).toMatch(/^it is for evidence/);
  });

  test('must be named where the policy requires it', () => {
    const policy = aPolicy({ evidenceRequired: true });
    expect(reasons(by('bob'), policy)).toEqual(['it names no evidence, and this environment requires it']);
    expect(reasons([anApproval({ evidence: '1a1a1a1a' })], policy)).toEqual(['managers']);
  });

  test('that changed since makes an approval void, and one that is the same again does not', () => {
    const approvals = [anApproval({ given: EARLIER }), anApproval({ by: 'carol', evidence: '2b2b2b2b' })];
    expect(reasons(approvals)).toEqual([
      'the evidence has changed since',
      'it is for evidence 2b2b2b2b, the evidence now is 1a1a1a1a1a1a',
    ]);
    expect(reasons(approvals, aPolicy(), EARLIER)).toEqual(['managers', 'qa']);
  });

  test('that does not exist yet leaves early approvals for later, and nothing is satisfied', () => {
    const early = [anApproval({ evidence: '1a1a1a1a' }), { by: 'carol', at: 'now' }];
    const before = tally(aPolicy(), undefined, 'starter', early);
    expect(before.satisfied).toBe(false);
    expect(before.judged.every((one) => !one.counts && one.reason.startsWith('there is no evidence'))).toBe(
      true,
    );
    expect(tally(aPolicy(), NOW, 'starter', early).satisfied).toBe(true);
    expect(tally(aPolicy({ required: {} }), undefined, 'starter', []).satisfied).toBe(false);
  });

  test('approved anew by the same person counts, once', () => {
    const approvals = [anApproval({ given: EARLIER }), anApproval(), anApproval()];
    expect(reasons(approvals)).toEqual([
      'the evidence has changed since',
      'managers',
      'bob has approved already',
    ]);
  });
});

describe('unreachable', () => {
  test('names a group that has too few who may approve', () => {
    const policy = aPolicy({ required: { managers: 2, qa: 1 } });
    expect(unreachable(policy, 'starter')).toEqual([]);
    expect(unreachable(policy, 'bob')).toMatchObject([{ group: 'managers', candidates: ['alice'] }]);
    expect(unreachable(aPolicy({ required: { ghosts: 1 } }), 'starter')).toMatchObject([
      { group: 'ghosts', candidates: [] },
    ]);
  });

  test('sees that one person cannot fill the seats of two groups', () => {
    const policy = aPolicy({ groups: { managers: ['alice'], qa: ['alice'] } });
    expect(unreachable(policy, 'starter')).toMatchObject([{ count: 1, candidates: ['alice'] }]);
  });

  test('is empty exactly when all of the members together would satisfy the policy', () => {
    const random = aRandom(13);
    for (let round = 0; round < 300; round++) {
      const policy = aRandomPolicy(random);
      const everybody = tally(policy, NOW, 'p0', by(...PEOPLE));
      expect(unreachable(policy, 'p0').length === 0).toBe(everybody.satisfied);
    }
  });
});

describe('mayDo', () => {
  const policy = {
    groups: { managers: ['alice'], oncall: ['dave'] },
    allowed: { abort: ['managers', 'oncall'], promote: [], decide: ['ghosts'] },
  };

  test('lets anybody do what the policy says nothing about', () => {
    expect(mayDo(policy, 'hold', 'anybody')).toEqual({ allowed: true, reason: '' });
  });

  test('lets members of any of the groups, and tells others who may', () => {
    expect(mayDo(policy, 'abort', 'alice').allowed).toBe(true);
    expect(mayDo(policy, 'abort', 'dave').allowed).toBe(true);
    expect(mayDo(policy, 'abort', 'mallory')).toEqual({
      allowed: false,
      reason: 'mallory is not in managers or oncall, who may abort: alice, dave',
    });
  });

  test('lets nobody where the groups have no members', () => {
    expect(mayDo(policy, 'promote', 'alice').allowed).toBe(false);
    expect(mayDo(policy, 'decide', 'alice').allowed).toBe(false);
  });
});

const PEOPLE = ['p0', 'p1', 'p2', 'p3', 'p4', 'p5'];

/** A linear congruential generator (Numerical Recipes), so that a failure comes again. */
function aRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1664525 + 1013904223) % 2 ** 32;
    return state / 2 ** 32;
  };
}

function aRandomPolicy(random: () => number): ApprovalPolicy {
  const names = ['g0', 'g1', 'g2'].slice(0, 1 + Math.floor(random() * 3));
  return aPolicy({
    required: Object.fromEntries(names.map((name) => [name, 1 + Math.floor(random() * 2)])),
    groups: Object.fromEntries(names.map((name) => [name, PEOPLE.filter(() => random() < 0.5)])),
  });
}

/** The slow way: tries every group for every person. */
function mostSeats(
  policy: ApprovalPolicy,
  people: readonly string[],
  free: ReadonlyMap<string, number>,
): number {
  const [person, ...others] = people;
  if (person === undefined) return 0;
  const without = mostSeats(policy, others, free);
  const withThem = [...free]
    .filter(([group, seats]) => seats > 0 && policy.groups[group]?.includes(person))
    .map(([group, seats]) => 1 + mostSeats(policy, others, new Map([...free, [group, seats - 1]])));
  return Math.max(without, ...withThem);
}
