import { describe, expect, test } from '@jest/globals';
import { digestOf } from '../../src/domain/digest.ts';
import { environmentPolicy, pipelinePolicy, UnknownEnvironment } from '../../src/platform/policy.ts';
import { anEnvironment, aPlatformFile, parse, withEnvironment } from './builders.ts';

const production = (file: Record<string, unknown>) => environmentPolicy(parse(file), 'production');

describe('the policy of an environment', () => {
  test('of a minimal platform has all defaults and nothing that is optional', () => {
    const { digest, ...policy } = production(aPlatformFile());
    expect(policy).toEqual({
      target: {
        platform: 'notes',
        environment: 'production',
        account: '123456789012',
        region: 'eu-west-1',
        cluster: 'notes',
      },
      services: [
        {
          name: 'web',
          ecsService: 'web',
          repository: 'notes/web',
          container: 'web',
          taskDefinition: 'deploy/web.json',
          dependsOn: [],
          desiredCount: 1,
          versionPath: '/version',
        },
      ],
      registry: {
        host: '123456789012.dkr.ecr.eu-west-1.amazonaws.com',
        account: '123456789012',
        region: 'eu-west-1',
      },
      requiredParameters: [],
      requiredSecrets: [],
      signals: { groups: {}, allowed: {} },
      rollout: {
        timeoutSeconds: 1200,
        minimumHealthyPercent: 100,
        maximumPercent: 200,
        allowedTaskDeaths: 1,
        alarms: [],
      },
      verification: { metrics: { windowSeconds: 300 }, tests: [], soakSeconds: 0 },
      keepReleases: 20,
    });
    expect(digest).toBe(digestOf(policy));
  });

  test('carries every field of the file', () => {
    const policy = production(
      withEnvironment(
        {
          role: 'arn:aws:iam::123456789012:role/slipway',
          desiredCount: { web: 3 },
          terraform: {
            directory: 'terraform',
            variables: { size: 'l' },
            parameters: { password: '/notes/password' },
            variableFiles: ['a.tfvars'],
            allowDestroy: ['aws_sqs_queue.*'],
            allowedTypes: ['aws_*'],
          },
          settings: 'deploy/settings.json',
          required: { parameters: ['/notes/region'], secrets: ['notes/key'] },
          approval: {
            required: { managers: 1 },
            starterMayApprove: true,
            evidenceRequired: true,
            expiresAfter: '2d',
            remindEvery: '6h',
          },
          rollout: {
            timeout: '5m',
            minimumHealthyPercent: 50,
            maximumPercent: 150,
            allowedTaskDeaths: 0,
            alarms: ['web is slow'],
            canary: {
              services: ['web'],
              steps: [10, 100],
              bake: '10m',
              deadMan: '2h',
              judge: {
                minimumRequests: 100,
                maximumErrorRate: 0.01,
                maximumErrorRateIncrease: 0.005,
                latency: { threshold: '500ms', minimumShare: 0.95, maximumDecrease: 0.02 },
              },
              onInconclusive: 'ask',
              smoke: ['smoke'],
            },
          },
          verification: {
            tests: ['smoke'],
            metrics: {
              window: '1m',
              minimumRequests: 10,
              maximumErrorRate: 0.01,
              latency: { threshold: '500ms', minimumShare: 0.95 },
              maximumCpu: 80,
              maximumMemory: 90,
            },
            manualTest: { group: 'qa', instructions: 'Write a page.', expiresAfter: '4h' },
            soak: '2m',
          },
          keepReleases: 5,
        },
        {
          registry: {
            account: '210987654321',
            region: 'us-east-1',
            host: 'registry.example.com:5000',
            scanGate: { CRITICAL: 0 },
          },
          services: {
            web: {
              taskDefinition: 'web.json',
              url: '${output:url}',
              versionPath: '/v',
              ecsService: 'w',
              container: 'c',
              repository: 'r/w',
              dependsOn: ['api'],
            },
            api: { taskDefinition: 'api.json' },
          },
          tests: {
            smoke: { command: ['node', 'smoke.mjs'], timeout: '1m', environment: { URL: '${output:url}' } },
          },
          groups: { managers: ['alice'], qa: ['bob'] },
          signals: { abort: ['managers'] },
          migration: { service: 'api', command: ['up'], undo: ['down'], timeout: '30s' },
        },
      ),
    );
    expect(policy).toMatchObject({
      target: { role: 'arn:aws:iam::123456789012:role/slipway' },
      services: [
        { name: 'api', desiredCount: 1 },
        {
          name: 'web',
          desiredCount: 3,
          url: '${output:url}',
          versionPath: '/v',
          ecsService: 'w',
          container: 'c',
          repository: 'r/w',
        },
      ],
      registry: {
        host: 'registry.example.com:5000',
        account: '210987654321',
        region: 'us-east-1',
        scanGate: { CRITICAL: 0 },
      },
      terraform: {
        directory: 'terraform',
        backend: {},
        variables: { size: 'l' },
        parameters: { password: '/notes/password' },
        variableFiles: ['a.tfvars'],
        allowDestroy: ['aws_sqs_queue.*'],
        allowedTypes: ['aws_*'],
      },
      settings: 'deploy/settings.json',
      requiredParameters: ['/notes/region'],
      requiredSecrets: ['notes/key'],
      migration: { service: 'api', command: ['up'], undo: ['down'], timeoutSeconds: 30 },
      approval: {
        required: { managers: 1 },
        groups: { managers: ['alice'] },
        starterMayApprove: true,
        evidenceRequired: true,
        expiresAfterSeconds: 172_800,
        remindEverySeconds: 21_600,
      },
      signals: {
        groups: { managers: ['alice'], qa: ['bob'] },
        allowed: { abort: ['managers'], recordManualTest: ['qa'] },
      },
      rollout: {
        timeoutSeconds: 300,
        minimumHealthyPercent: 50,
        maximumPercent: 150,
        allowedTaskDeaths: 0,
        alarms: ['web is slow'],
        canary: {
          services: ['web'],
          steps: [10, 100],
          bakeSeconds: 600,
          // At 100 %: 2 h, the rollout of api 5 min, the tests 1 min, the manual test 4 h, metrics 1 min, the soak 2 min, and 10 min.
          deadMan: { stepMinutes: 120, lastMinutes: 379 },
          judge: {
            minimumRequests: 100,
            maximumErrorRate: 0.01,
            maximumErrorRateIncrease: 0.005,
            latency: { thresholdSeconds: 0.5, minimumShare: 0.95, maximumDecrease: 0.02 },
          },
          onInconclusive: 'ask',
          smoke: [
            {
              name: 'smoke',
              command: ['node', 'smoke.mjs'],
              timeoutSeconds: 60,
              environment: { URL: '${output:url}' },
            },
          ],
        },
      },
      verification: {
        metrics: {
          windowSeconds: 60,
          minimumRequests: 10,
          maximumErrorRate: 0.01,
          latency: { thresholdSeconds: 0.5, minimumShare: 0.95 },
          maximumCpu: 80,
          maximumMemory: 90,
        },
        tests: [
          {
            name: 'smoke',
            command: ['node', 'smoke.mjs'],
            timeoutSeconds: 60,
            environment: { URL: '${output:url}' },
          },
        ],
        manualTest: { group: 'qa', instructions: 'Write a page.', expiresAfterSeconds: 14_400 },
        soakSeconds: 120,
      },
      keepReleases: 5,
    });
  });

  test('of a canary that says the least takes all services, ECS undoes after bake, rollout and margin, and no doubt is left', () => {
    const canary = {
      steps: [25, 50, 75, 100],
      bake: '5m',
      judge: { minimumRequests: 1, maximumErrorRate: 0 },
    };
    const services = {
      web: { taskDefinition: 'web.json', dependsOn: ['api'] },
      api: { taskDefinition: 'api.json' },
    };
    expect(production(withEnvironment({ rollout: { canary } }, { services })).rollout.canary).toEqual({
      services: ['web', 'api'],
      steps: [25, 50, 75, 100],
      bakeSeconds: 300,
      // 5 + 20 + 10; at 100 % also web's rollout 20, its four steps 20, the metrics' window 5 and 10.
      deadMan: { stepMinutes: 35, lastMinutes: 90 },
      judge: { minimumRequests: 1, maximumErrorRate: 0 },
      onInconclusive: 'rollback',
      smoke: [],
    });
  });

  test('has a canary merged from the defaults, field by field', () => {
    const canary = { steps: [10, 100], bake: '5m', judge: { minimumRequests: 10, maximumErrorRate: 0.01 } };
    const platform = parse(
      aPlatformFile({
        defaults: { rollout: { canary } },
        environments: {
          production: anEnvironment({
            rollout: { canary: { steps: [50, 100], judge: { minimumRequests: 1000 } } },
          }),
        },
      }),
    );
    expect(environmentPolicy(platform, 'production').rollout.canary).toMatchObject({
      steps: [50, 100],
      bakeSeconds: 300,
      judge: { minimumRequests: 1000, maximumErrorRate: 0.01 },
    });
  });

  test('has another digest when anything of it changes, and the same when only the file is written differently', () => {
    const digest = (fields: Record<string, unknown>) => production(withEnvironment(fields)).digest;
    expect(digest({ keepReleases: 21 })).not.toBe(digest({}));
    expect(digest({ rollout: { timeout: '1200s' }, keepReleases: 20 })).toBe(digest({}));
  });

  test('has its services in dependency order', () => {
    const services = Object.fromEntries(
      [
        ['editor', ['suggestions']],
        ['suggestions', ['gateway']],
        ['gateway', []],
      ].map(([name, dependsOn]) => [name, { taskDefinition: 'a.json', dependsOn }]),
    );
    expect(production(aPlatformFile({ services })).services.map(({ name }) => name)).toEqual([
      'gateway',
      'suggestions',
      'editor',
    ]);
  });

  test('that the platform does not have is refused with those it has', () => {
    const platform = parse(aPlatformFile());
    expect(() => environmentPolicy(platform, 'prodution')).toThrow(UnknownEnvironment);
    expect(() => environmentPolicy(platform, 'prodution')).toThrow(
      'environment: found "prodution"; allowed: the environments of the platform notes, production (did you mean production?)',
    );
    expect(() => environmentPolicy(platform, 'constructor')).toThrow(UnknownEnvironment);
  });

  test('of a region in China has the registry host of its partition', () => {
    expect(production(withEnvironment({ region: 'cn-north-1' })).registry.host).toBe(
      '123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn',
    );
  });
});

describe('the policy of the pipeline', () => {
  const platform = parse(
    aPlatformFile({
      groups: { managers: ['alice'] },
      environments: {
        development: anEnvironment({ cluster: 'a', account: '111111111111' }),
        staging: anEnvironment({ cluster: 'b' }),
        production: anEnvironment({ cluster: 'c', approval: { required: { managers: 1 } } }),
      },
    }),
  );

  test('has the environments in their order, those that ask for an approval, and the first one as the registry', () => {
    expect(pipelinePolicy(platform)).toEqual({
      platform: 'notes',
      environments: ['development', 'staging', 'production'],
      approvals: ['production'],
      registry: {
        host: '111111111111.dkr.ecr.eu-west-1.amazonaws.com',
        account: '111111111111',
        region: 'eu-west-1',
      },
      services: [{ name: 'web', repository: 'notes/web' }],
    });
  });

  test('ends with the environment that the run goes through', () => {
    expect(pipelinePolicy(platform, 'staging')).toMatchObject({
      environments: ['development', 'staging'],
      approvals: [],
    });
    expect(() => pipelinePolicy(platform, 'nowhere')).toThrow('development, staging, production');
  });
});
