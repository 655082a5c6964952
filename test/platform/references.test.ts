import { describe, expect, test } from '@jest/globals';
import { anEnvironment, aPlatformFile, problemsOf, withEnvironment } from './builders.ts';

const service = (fields: Record<string, unknown> = {}) => ({
  taskDefinition: 'deploy/service.json',
  ...fields,
});

describe('services', () => {
  test('in a cycle are told with the way round', () => {
    const services = {
      a: service({ dependsOn: ['b'] }),
      b: service({ dependsOn: ['a'] }),
      c: service({ dependsOn: ['c'] }),
    };
    expect(problemsOf(aPlatformFile({ services }))).toEqual([
      expect.stringContaining(
        'services.a.dependsOn: found a cycle: a -> b -> a; allowed: dependencies without a cycle',
      ),
      expect.stringContaining('services.c.dependsOn: found a cycle: c -> c'),
    ]);
  });

  test('with one ECS service name are told', () => {
    const services = { a: service(), b: service({ ecsService: 'a' }) };
    expect(problemsOf(aPlatformFile({ services }))).toEqual([
      expect.stringContaining('services.b.ecsService: found the ECS service name a a second time'),
    ]);
  });

  test('have to be there, and so have environments', () => {
    expect(problemsOf(aPlatformFile({ services: {}, environments: {} }))).toEqual([
      expect.stringContaining('services: found no services; allowed: one or more services by name'),
      expect.stringContaining('environments: found no environments'),
    ]);
  });
});

describe('a name', () => {
  test('of nothing that exists is told, wherever it stands', () => {
    const file = withEnvironment(
      {
        desiredCount: { wbe: 2 },
        approval: { required: { manager: 1 } },
        rollout: {
          canary: {
            steps: [10, 100],
            bake: '5m',
            judge: { minimumRequests: 1, maximumErrorRate: 0.1 },
            services: ['web', 'wep'],
            smoke: ['smok'],
          },
        },
        verification: { tests: ['smoke'], manualTest: { group: 'qq', instructions: 'Look.' } },
      },
      {
        groups: { managers: ['alice'], qa: ['bob'] },
        signals: { abort: ['manger'] },
        migration: { service: 'db', command: ['up'] },
      },
    );
    expect(problemsOf(file).map((line) => line.replace(/^\S+ /, ''))).toEqual([
      'environments.production.desiredCount.wbe: found the unknown service "wbe"; allowed: web (did you mean web?)',
      'environments.production.approval.required.manager: found the unknown group "manager"; allowed: managers, qa (did you mean managers?)',
      'environments.production.rollout.canary.services[1]: found the unknown service "wep"; allowed: web (did you mean web?)',
      'environments.production.rollout.canary.smoke[0]: found the unknown test suite "smok"; allowed: none: the file has no test suite',
      'environments.production.verification.tests[0]: found the unknown test suite "smoke"; allowed: none: the file has no test suite',
      'environments.production.verification.manualTest.group: found the unknown group "qq"; allowed: managers, qa (did you mean qa?)',
      'signals.abort[0]: found the unknown group "manger"; allowed: managers, qa (did you mean managers?)',
      'migration.service: found the unknown service "db"; allowed: web',
    ]);
  });

  test('of a signal has to be one that can be restricted', () => {
    expect(
      problemsOf(aPlatformFile({ groups: { qa: ['bob'] }, signals: { approve: ['qa'], abrot: ['qa'] } })),
    ).toEqual([
      expect.stringContaining(
        'signals.approve: found the unknown field "approve"; allowed: reject, abort, hold, resume, promote, decide',
      ),
      expect.stringContaining(
        'signals.abrot: found the unknown field "abrot"; allowed: reject, abort, hold, resume, promote, decide (did you mean abort?)',
      ),
    ]);
  });
});

describe('an approval', () => {
  const approval = (required: Record<string, number>, groups: Record<string, string[]>, fields = {}) =>
    problemsOf(withEnvironment({ approval: { required, ...fields } }, { groups }));

  test('may ask for all members of a group', () => {
    expect(approval({ managers: 2 }, { managers: ['alice', 'bob'] })).toEqual([]);
  });

  test('that asks for more than the group has is told', () => {
    expect(approval({ managers: 3 }, { managers: ['alice', 'bob', 'alice'] })).toEqual([
      expect.stringContaining(
        'approval.required.managers: found 3 approvals of managers, which has 2 people (alice, bob); allowed: 1 to 2',
      ),
    ]);
  });

  test('may ask groups that share people as long as different people can answer', () => {
    expect(approval({ managers: 1, qa: 1 }, { managers: ['alice', 'bob'], qa: ['alice'] })).toEqual([]);
  });

  test('that groups sharing people can never give is told', () => {
    expect(
      approval({ managers: 1, qa: 1, ops: 1 }, { managers: ['alice'], qa: ['alice'], ops: ['alice', 'bob'] }),
    ).toEqual([
      expect.stringContaining(
        'approval.required: found 3 approvals asked of 2 people (alice, bob), who are in several of the groups',
      ),
    ]);
  });

  test('of no group is told', () => {
    expect(approval({}, {})).toEqual([expect.stringContaining('approval.required: found no group')]);
  });

  test('with a reminder after its end is told', () => {
    expect(approval({ qa: 1 }, { qa: ['bob'] }, { remindEvery: '8d' })).toEqual([
      expect.stringContaining(
        'approval.remindEvery: found "8d", which is never before the end; allowed: less than expiresAfter, 7d',
      ),
    ]);
    expect(approval({ qa: 1 }, { qa: ['bob'] }, { remindEvery: '8d', expiresAfter: '9d' })).toEqual([]);
  });
});

describe('an environment', () => {
  test('with the role of another account is told', () => {
    expect(problemsOf(withEnvironment({ role: 'arn:aws:iam::999999999999:role/slipway' }))).toEqual([
      expect.stringContaining(
        "role: found a role of the account 999999999999; allowed: a role of the environment's account, 123456789012",
      ),
    ]);
    expect(problemsOf(withEnvironment({ role: 'arn:aws:iam::123456789012:role/slipway' }))).toEqual([]);
  });

  test('that leaves ECS no task to replace is told', () => {
    expect(problemsOf(withEnvironment({ rollout: { maximumPercent: 100 } }))).toEqual([
      expect.stringContaining('rollout.maximumPercent: found 100 beside a minimumHealthyPercent of 100'),
    ]);
    expect(
      problemsOf(withEnvironment({ rollout: { maximumPercent: 100, minimumHealthyPercent: 50 } })),
    ).toEqual([]);
  });

  test('with thresholds that judge nothing is told', () => {
    const thresholds = { maximumErrorRate: 0.01, latency: { threshold: '0.5s', minimumShare: 0.9 } };
    expect(problemsOf(withEnvironment({ verification: { metrics: thresholds } }))).toHaveLength(2);
    expect(
      problemsOf(withEnvironment({ verification: { metrics: { ...thresholds, minimumRequests: 1 } } })),
    ).toEqual([]);
  });

  test('with the cluster of another is told', () => {
    const environments = {
      staging: anEnvironment(),
      production: anEnvironment(),
      other: anEnvironment({ region: 'eu-west-2' }),
    };
    expect(problemsOf(aPlatformFile({ environments }))).toEqual([
      expect.stringContaining('environments.production.cluster: found the cluster of staging'),
    ]);
  });

  test('with the Terraform state of another is told', () => {
    const terraform = (backend: Record<string, string>) => ({
      terraform: { directory: 'terraform', backend },
    });
    const environments = {
      development: anEnvironment({ cluster: 'a', ...terraform({ bucket: 'b', key: 'k' }) }),
      staging: anEnvironment({ cluster: 'b', ...terraform({ key: 'k', bucket: 'b' }) }),
      production: anEnvironment({ cluster: 'c', ...terraform({ bucket: 'b', key: 'other' }) }),
    };
    expect(problemsOf(aPlatformFile({ environments }))).toEqual([
      expect.stringContaining('environments.staging.terraform: found the Terraform state of development'),
    ]);
  });
});

describe('a placeholder', () => {
  test('that is unknown is told with the known ones', () => {
    const services = { web: service({ url: 'http://${host}/' }) };
    const tests = { smoke: { command: ['true'], environment: { A: '${version} ${commitHash}' } } };
    expect(problemsOf(aPlatformFile({ services, tests }))).toEqual([
      expect.stringContaining(
        'services.web.url: found the unknown placeholder ${host}; allowed: ${output:NAME}',
      ),
      expect.stringContaining(
        'tests.smoke.environment.A: found the unknown placeholder ${commitHash}; allowed: ${output:NAME}, ${version}',
      ),
    ]);
  });

  test('for a Terraform output is told where an environment that reads it has no Terraform', () => {
    const services = { web: service({ url: '${output:web_url}' }) };
    const tests = { smoke: { command: ['true'], environment: { URL: '${output:web_url}' } } };
    const environments = {
      staging: anEnvironment({ cluster: 'staging', verification: { tests: ['smoke'] } }),
      production: anEnvironment({
        terraform: { directory: 'terraform' },
        verification: { tests: ['smoke'] },
      }),
    };
    expect(problemsOf(aPlatformFile({ services, tests, environments }))).toEqual([
      expect.stringContaining(
        'services.web.url: found ${output:web_url}, which has no value in staging: no terraform there',
      ),
      expect.stringContaining(
        'tests.smoke.environment.URL: found ${output:web_url}, which has no value in staging',
      ),
    ]);
  });

  test('for a Terraform output is told where a canary smokes without Terraform', () => {
    const tests = { smoke: { command: ['true'], environment: { URL: '${output:web_url}' } } };
    const canary = {
      steps: [10, 100],
      bake: '5m',
      judge: { minimumRequests: 1, maximumErrorRate: 0.1 },
      smoke: ['smoke'],
    };
    expect(problemsOf(withEnvironment({ rollout: { canary } }, { tests }))).toEqual([
      expect.stringContaining(
        'tests.smoke.environment.URL: found ${output:web_url}, which has no value in production',
      ),
    ]);
  });

  test('for a Terraform output is fine in a suite that only environments with Terraform run', () => {
    const tests = { smoke: { command: ['true'], environment: { URL: '${output:web_url}' } } };
    const environments = {
      staging: anEnvironment({ cluster: 'staging' }),
      production: anEnvironment({
        terraform: { directory: 'terraform' },
        verification: { tests: ['smoke'] },
      }),
    };
    expect(problemsOf(aPlatformFile({ tests, environments }))).toEqual([]);
  });
});
