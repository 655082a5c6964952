import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse as parseYaml } from 'yaml';
import { environmentPolicy } from '../../src/platform/policy.ts';
import { anEnvironment, aPlatformFile, parse, problemsOf, withEnvironment } from './builders.ts';

type Fields = Record<string, unknown>;

const aJudge = (fields: Fields = {}): Fields => ({ minimumRequests: 100, maximumErrorRate: 0.01, ...fields });
const aCanary = (fields: Fields = {}): Fields => ({
  steps: [10, 100],
  bake: '10m',
  judge: aJudge(),
  ...fields,
});
const withCanary = (fields: Fields, environment: Fields = {}, rest: Fields = {}): string[] =>
  problemsOf(withEnvironment({ rollout: { canary: aCanary(fields) }, ...environment }, rest));

/** The problems without their places and their common beginning. */
const short = (problems: readonly string[]): string[] =>
  problems.map((line) => line.replace(/^\S+ environments\.production\.rollout\./, ''));

describe('a canary', () => {
  test('may say steps, bake and one threshold alone', () => {
    expect(withCanary({})).toEqual([]);
  });

  test('whose steps ECS cannot do is told what ECS can', () => {
    const possible =
      'one step and then the rest, such as [10, 100], or equal steps of 3 % or more, such as [25, 50, 75, 100]';
    const told = (steps: readonly number[]) => short(withCanary({ steps }));
    expect(told([20, 30, 100])).toEqual([
      `canary.steps: found [20, 30, 100], by which ECS can't shift traffic: the steps are not equal; allowed: ${possible}`,
    ]);
    expect(told([10, 50])).toEqual([
      expect.stringContaining("[10, 50], by which ECS can't shift traffic: the last step is not 100"),
    ]);
    expect(told([])).toEqual([expect.stringContaining('canary.steps: found [], by which ECS')]);
  });

  test('whose steps are no percentages is told each of them, and nothing that follows from it', () => {
    expect(short(withCanary({ steps: ['10', 0, 100] }))).toEqual([
      'canary.steps[0]: found "10"; allowed: a percentage from 0.1 to 100, as a plain number',
      'canary.steps[1]: found 0 (a number); allowed: a percentage from 0.1 to 100, as a plain number',
    ]);
  });

  test('with a field that there is not is told which was meant', () => {
    expect(short(withCanary({ onInconclusiv: 'ask', judge: aJudge({ minimumRequest: 1 }) }))).toEqual([
      expect.stringContaining('canary.judge.minimumRequest: found the unknown field "minimumRequest"'),
      expect.stringContaining('(did you mean onInconclusive?)'),
    ]);
    expect(short(withCanary({ onInconclusive: 'wait' }))).toEqual([
      'canary.onInconclusive: found "wait"; allowed: ask or rollback',
    ]);
  });

  test('is told at its line and column, also where it comes from the defaults', () => {
    const text = `platform: notes
services:
  web:
    taskDefinition: deploy/web.json
defaults:
  account: "123456789012"
  region: eu-west-1
  rollout:
    canary:
      steps: [20, 30, 100]
      bake: 10m
      deadMan: 10m
      judge: { minimumRequests: 1, maximumErrorRate: 0.1 }
environments:
  staging:
    cluster: staging
  production:
    cluster: production
`;
    expect(problemsOf(text)).toEqual([
      expect.stringMatching(/^10:7 defaults\.rollout\.canary\.steps: /),
      expect.stringMatching(/^12:7 defaults\.rollout\.canary\.deadMan: /),
    ]);
  });
});

test('the one in the docs is valid', () => {
  const docs = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'your-platform.md'), 'utf8');
  const [, example = ''] = /```yaml\n(rollout:\n[^]*?)```/.exec(docs) ?? [];
  expect(example).toContain('canary:');
  const tests = { smoke: { command: ['true'] } };
  expect(problemsOf(withEnvironment(parseYaml(example) as Fields, { tests }))).toEqual([]);
});

describe('the judge', () => {
  const judged = (judge: Fields): string[] => short(withCanary({ judge }));

  const nothingAtTheEnd =
    'canary.judge: found no threshold that a release could miss at 100 %, where no old version is left to compare with; allowed: maximumErrorRate below 1, or latency.minimumShare above 0, beside those that compare';

  test('without a threshold is refused: it would judge nothing', () => {
    expect(judged({ minimumRequests: 1 })).toEqual([nothingAtTheEnd]);
  });

  test.each<Fields>([
    { maximumErrorRate: 1 },
    { latency: { threshold: '1s', minimumShare: 0 } },
    { maximumErrorRate: 1, latency: { threshold: '1s', minimumShare: 0 } },
  ])('with thresholds that nothing can miss is refused: %j', (judge) => {
    expect(judged({ minimumRequests: 1, ...judge })).toEqual([nothingAtTheEnd]);
  });

  test.each<Fields>([
    { maximumErrorRateIncrease: 0.001 },
    { latency: { threshold: '1s', maximumDecrease: 0 } },
    { maximumErrorRate: 1, maximumErrorRateIncrease: 0.001 },
  ])('that only compares is refused: it would judge nothing at 100 %%: %j', (judge) => {
    expect(judged({ minimumRequests: 1, ...judge })).toEqual([nothingAtTheEnd]);
  });

  test.each<Fields>([
    { maximumErrorRate: 0 },
    { maximumErrorRate: 0.01, maximumErrorRateIncrease: 1 },
    { latency: { threshold: '1s', minimumShare: 0.9 } },
    { latency: { threshold: '1s', minimumShare: 0.9, maximumDecrease: 0 } },
  ])('may have one threshold that holds at 100 %% alone: %j', (judge) => {
    expect(judged({ minimumRequests: 1, ...judge })).toEqual([]);
  });

  test('with a latency whose share nothing limits is refused', () => {
    expect(judged(aJudge({ latency: { threshold: '1s' } }))).toEqual([
      'canary.judge.latency: found no threshold of a share, which judges nothing; allowed: minimumShare, or maximumDecrease',
    ]);
  });

  test('with thresholds out of range, or without minimumRequests, is refused', () => {
    expect(
      judged({ maximumErrorRate: 1.5, latency: { threshold: '1s', minimumShare: -0.1 } }).toSorted(),
    ).toEqual([
      'canary.judge.latency.minimumShare: found -0.1 (a number); allowed: a share from 0 to 1, such as 0.01 for 1 %',
      'canary.judge.maximumErrorRate: found 1.5 (a number); allowed: a share from 0 to 1, such as 0.01 for 1 %',
      'canary.judge.minimumRequests: found nothing; allowed: a whole number from 1 to 1000000000',
    ]);
  });
});

test('a canary of more steps than one run can record is refused', () => {
  const steps = Array.from({ length: 20 }, (_, i) => 5 * (i + 1));
  const named = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`s${i}`, { taskDefinition: `${i}.json` }]));
  expect(withCanary({ steps, deadMan: '1h' }, {}, { services: named(4) })).toEqual([]);
  expect(short(withCanary({ steps, deadMan: '1h' }, {}, { services: named(5) }))).toEqual([
    'canary.steps: found 20 steps of 5 services, 100 in all; allowed: 80 in all, of which one run can keep a record: fewer steps, or fewer services that go by canary',
  ]);
});

describe("the dead man's switch", () => {
  test('that leaves a step no time beyond its bake would act on a good canary, and is refused', () => {
    expect(short(withCanary({ deadMan: '11m' }))).toEqual([
      'canary.deadMan: found 11 min, after which ECS goes back, though the canary may be good; allowed: 12 min or more: the bake 10 min, a margin 2 min',
    ]);
    expect(withCanary({ deadMan: '12m' })).toEqual([]);
  });

  test('leaves a long step a tenth of it', () => {
    expect(short(withCanary({ bake: '10h', deadMan: '659m' }))).toEqual([
      expect.stringContaining('allowed: 11 h or more: the bake 10 h, a margin 1 h'),
    ]);
    expect(withCanary({ bake: '10h', deadMan: '660m' })).toEqual([]);
  });

  test('that acts before the smoke tests are over is refused', () => {
    const tests = {
      smoke: { command: ['true'], timeout: '30m' },
      slow: { command: ['true'], timeout: '1h' },
    };
    const told = (deadMan: string) => withCanary({ deadMan, smoke: ['smoke', 'slow'] }, {}, { tests });
    expect(short(told('98m'))).toEqual([
      expect.stringContaining('allowed: 1 h 39 min or more: the smoke tests 1 h 30 min, a margin 9 min'),
    ]);
    expect(told('99m')).toEqual([]);
  });

  test('leaves services of one wave the time to wait for each other', () => {
    const web = { taskDefinition: 'a.json' };
    const told = (services: Fields, canary: Fields = {}) =>
      withCanary({ deadMan: '31m', ...canary }, {}, { services });
    expect(short(told({ web, api: web }))).toEqual([
      expect.stringContaining(
        'allowed: 32 min or more: the bake 10 min, a margin 2 min, the rollout of another service of the wave 20 min',
      ),
    ]);
    expect(told({ web, api: web }, { deadMan: '32m' })).toEqual([]);
    expect(told({ web, api: web }, { services: ['web'] })).toEqual([]);
    expect(told({ web: { ...web, dependsOn: ['api'] }, api: web })).toEqual([]);
  });

  test('without one, a step of days has the time that a policy would have to say', () => {
    const policy = (deadMan: Fields) =>
      environmentPolicy(
        parse(withEnvironment({ rollout: { canary: aCanary({ bake: '5d', ...deadMan }) } })),
        'production',
      );
    const { stepMinutes = 0 } = policy({}).rollout.canary?.deadMan ?? {};
    expect(withCanary({ bake: '5d', deadMan: `${stepMinutes}m` })).toEqual([]);
  });

  test.each(['90s', '0.5m', '15d', '30'])(
    'is whole minutes up to 14 days, as ECS counts a pause: not %s',
    (deadMan) => {
      expect(short(withCanary({ deadMan, bake: '1s' }))).toEqual([
        `canary.deadMan: found "${deadMan}"; allowed: a duration of whole minutes from 1m to 14d, such as 30m, 2h or 7d`,
      ]);
    },
  );

  test('at 100 % that would have to wait longer than ECS can is refused with what makes it long', () => {
    const verification = {
      manualTest: { instructions: 'Write a page.', expiresAfter: '10d' },
      soak: '5d',
    };
    expect(short(withCanary({ deadMan: '1h' }, { verification }))).toEqual([
      'canary: found a pause at 100 % that may have to last 15 d 1 h: the manual test 10 d, the soak 5 d, one pause 1 h, a margin 10 min, the metrics window 5 min; allowed: 14 d in all, the longest pause of ECS',
    ]);
  });

  test('counts the waves that hold services of the canary, not all services', () => {
    const services = {
      web: { taskDefinition: 'a.json', dependsOn: ['api'] },
      api: { taskDefinition: 'a.json' },
      queue: { taskDefinition: 'a.json' },
    };
    const told = (canary: Fields) => withCanary({ bake: '5d', deadMan: '6d', ...canary }, {}, { services });
    expect(short(told({}))).toEqual([
      expect.stringMatching(
        /^canary: found a pause at 100 % .* the steps of the other waves 10 d, one pause 6 d, /,
      ),
    ]);
    expect(told({ services: ['web', 'queue'] })).toHaveLength(1);
    expect(told({ services: ['api', 'queue'] })).toEqual([]);
  });

  test('is checked in every environment that has a canary, and in no other', () => {
    const canary = aCanary({ deadMan: '5m' });
    const environments = {
      staging: anEnvironment({ cluster: 'staging' }),
      production: anEnvironment({ rollout: { canary } }),
    };
    expect(problemsOf(aPlatformFile({ environments }))).toHaveLength(1);
  });
});

describe('a rollout', () => {
  test('takes names of alarms and a number of task deaths', () => {
    expect(
      problemsOf(withEnvironment({ rollout: { alarms: ['web: too slow'], allowedTaskDeaths: 0 } })),
    ).toEqual([]);
    expect(short(problemsOf(withEnvironment({ rollout: { alarms: [' '], allowedTaskDeaths: -1 } })))).toEqual(
      [
        'alarms[0]: found " "; allowed: the name of a CloudWatch alarm',
        'allowedTaskDeaths: found -1 (a number); allowed: a whole number from 0 to 1000',
      ],
    );
  });
});
