import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { InvalidPlatformFile } from '../../src/platform/problems.ts';
import { loadPlatform } from '../../src/platform/load.ts';
import { anEnvironment, aPlatformFile, parse, problemsOf, withEnvironment } from './builders.ts';

const folder = mkdtempSync(join(tmpdir(), 'slipway-platform-'));
afterAll(() => rmSync(folder, { recursive: true }));

const MINIMAL = `platform: notes
services:
  web:
    taskDefinition: deploy/web.json
environments:
  production:
    account: "123456789012"
    region: eu-west-1
    cluster: notes
`;

describe('a valid file', () => {
  test('may be nine lines long', () => {
    const file = join(folder, 'slipway.yaml');
    writeFileSync(file, MINIMAL);
    expect(loadPlatform(file)).toMatchObject({ platform: 'notes', source: { repository: folder } });
  });

  test('has its relative paths resolved against its own folder', () => {
    const terraform = {
      directory: 'terraform',
      backend: { path: './state/production.tfstate', bucket: './as-it-is' },
    };
    const platform = parse(withEnvironment({ terraform }, { source: { repository: '../code' } }));
    expect(platform.source.repository).toBe('/srv/code');
    expect(platform.environments['production']?.terraform?.backend).toEqual({
      path: '/srv/notes/state/production.tfstate',
      bucket: './as-it-is',
    });
  });

  test.each([
    'https://git.example.com/notes.git',
    'ssh://git@git.example.com/notes',
    'git@git.example.com:notes.git',
    'forge:notes.git',
    'file:///srv/git/notes',
    '/srv/git/notes',
  ])('keeps %s as its repository', (repository) => {
    expect(parse(aPlatformFile({ source: { repository } })).source.repository).toBe(repository);
  });

  test('reads durations as seconds', () => {
    const platform = parse(withEnvironment({ rollout: { timeout: '1.5m' }, verification: { soak: '2h' } }));
    expect(platform.environments['production']).toMatchObject({
      rollout: { timeout: 90 },
      verification: { soak: 7200 },
    });
  });

  test('has its defaults merged under each environment: maps by field, lists as a whole', () => {
    const platform = parse(
      aPlatformFile({
        tests: { smoke: { command: ['true'] }, full: { command: ['true'] } },
        defaults: {
          region: 'eu-west-1',
          rollout: { timeout: '5m', maximumPercent: 150 },
          verification: { tests: ['smoke', 'full'] },
        },
        environments: {
          staging: { account: '123456789012', cluster: 'staging', verification: { tests: ['full'] } },
          production: { account: '123456789012', cluster: 'production', rollout: { timeout: '10m' } },
        },
      }),
    );
    expect(platform.environments).toMatchObject({
      staging: {
        region: 'eu-west-1',
        rollout: { timeout: 300, maximumPercent: 150 },
        verification: { tests: ['full'] },
      },
      production: {
        rollout: { timeout: 600, maximumPercent: 150 },
        verification: { tests: ['smoke', 'full'] },
      },
    });
  });
});

describe('an invalid file', () => {
  test('is told with all of its problems, each with line, path, what was found and what is allowed', () => {
    const text = `platform: Notes
services:
  web:
    taskDefintion: deploy/web.json
    dependsOn: [api]
environments:
  production:
    account: 123456789012
    region: eu-west-1
    cluster: notes
    rollout:
      timeout: 5 minutes
    verification:
      tests: [smok]
tests:
  smoke:
    command: [node, smoke.mjs]
`;
    expect(problemsOf(text)).toEqual([
      '1:1 platform: found "Notes"; allowed: a name of 2 to 31 lower-case letters, digits and -, beginning with a letter, not with aws or ssm',
      '3:3 services.web.taskDefinition: found nothing; allowed: a path inside the repository: relative, without ..',
      '4:5 services.web.taskDefintion: found the unknown field "taskDefintion"; allowed: taskDefinition, repository, ecsService, container, dependsOn, url, versionPath (did you mean taskDefinition?)',
      '5:17 services.web.dependsOn[0]: found the unknown service "api"; allowed: web',
      '8:5 environments.production.account: found 123456789012 (a number); allowed: an AWS account number: 12 digits in quotes, such as "123456789012"',
      '12:7 environments.production.rollout.timeout: found "5 minutes"; allowed: a duration from 10s to 1d, such as 30s, 5m, 2h or 7d',
      '14:15 environments.production.verification.tests[0]: found the unknown test suite "smok"; allowed: smoke (did you mean smoke?)',
    ]);
  });

  test('counts its problems in the first line', () => {
    expect(() => parse(aPlatformFile({ platform: 1, surprise: true }))).toThrow(
      /^\/srv\/notes\/slipway.yaml is not valid: 2 problems\n/,
    );
  });

  test('with YAML errors is told with all of them and their lines', () => {
    const problems = problemsOf('platform: notes\nplatform: twice\nservices: [\n');
    expect(problems).toHaveLength(2);
    expect(problems[0]).toMatch(/^2:1: found a YAML error: Map keys must be unique/);
    expect(problems[1]).toMatch(/^4:1: found a YAML error: Flow sequence/);
  });

  test('with an alias to nowhere is told', () => {
    expect(problemsOf('platform: *nowhere\n')[0]).toMatch(/a YAML error: .*nowhere/);
  });

  test.each([
    ['', 'an empty value'],
    ['- a', 'the list ["a"]'],
    ['notes', '"notes"'],
  ])('of %j is not a map of fields', (text, found) => {
    expect(problemsOf(text)).toEqual([
      expect.stringContaining(`found ${found}; allowed: a map with fields of platform, source`),
    ]);
  });

  test('that is not there says how to point at another', () => {
    expect(() => loadPlatform(join(folder, 'none.yaml'))).toThrow(InvalidPlatformFile);
    expect(() => loadPlatform(join(folder, 'none.yaml'))).toThrow(
      'found no such file; allowed: a readable none.yaml; SLIPWAY_PLATFORM_FILE',
    );
  });

  test('whose place is a folder says so', () => {
    expect(() => loadPlatform(folder)).toThrow('found EISDIR when it was read');
  });

  test('has an error of its defaults told once, where it stands', () => {
    const text = `platform: notes
services: { web: { taskDefinition: a.json } }
defaults:
  region: eu-west-1
  rollout: { timeuot: 5m, maximumPercent: 500 }
  approval: { required: { nobody: 1 } }
environments:
  staging: { account: "123456789012", cluster: a }
  production: { account: "123456789012", cluster: b }
`;
    expect(problemsOf(text)).toEqual([
      expect.stringMatching(/^5:14 defaults.rollout.timeuot: found the unknown field/),
      expect.stringMatching(/^5:27 defaults.rollout.maximumPercent: found 500 \(a number\)/),
      expect.stringMatching(
        /^6:27 defaults.approval.required.nobody: found the unknown group "nobody"; allowed: none: the file has no group/,
      ),
    ]);
  });

  test('has an error of its defaults told also when every environment overrides it', () => {
    const file = aPlatformFile({
      defaults: { keepReleases: 'many' },
      environments: { production: anEnvironment({ keepReleases: 5 }) },
    });
    expect(problemsOf(file)).toEqual([expect.stringContaining('defaults.keepReleases: found "many"')]);
  });

  test('tells what is missing of an environment at the environment', () => {
    expect(
      problemsOf(
        'platform: notes\nservices: { web: { taskDefinition: a.json } }\nenvironments:\n  production: {}\n',
      ),
    ).toEqual([
      expect.stringMatching(/^4:3 environments.production.account: found nothing/),
      expect.stringMatching(/^4:3 environments.production.region: found nothing/),
      expect.stringMatching(/^4:3 environments.production.cluster: found nothing/),
    ]);
  });
});

describe('a field', () => {
  test.each<[string, string, Record<string, unknown>]>([
    ['directory', 'terraform', { terraform: { directory: 't', directoy: 't' } }],
    [
      'threshold',
      'verification.metrics.latency',
      {
        verification: {
          metrics: { minimumRequests: 1, latency: { threshold: '1s', minimumShare: 1, treshold: 1 } },
        },
      },
    ],
    ['parameters', 'required', { required: { parametres: [] } }],
  ])(
    'that is unknown is told with the known ones, and %s as the likely one, in %s',
    (meant, parent, fields) => {
      expect(problemsOf(withEnvironment(fields))).toEqual([
        expect.stringMatching(
          new RegExp(
            `environments.production.${parent}\\.\\w+: found the unknown field .* \\(did you mean ${meant}\\?\\)`,
          ),
        ),
      ]);
    },
  );

  test.each<[string, Record<string, unknown>, string]>([
    [
      'a duration below its range',
      { rollout: { timeout: '1s' } },
      'rollout.timeout: found "1s"; allowed: a duration from 10s to 1d',
    ],
    [
      'a duration above its range',
      { approval: { required: {}, expiresAfter: '1000d' } },
      'approval.expiresAfter: found "1000d"; allowed: a duration from 10s to 90d',
    ],
    [
      'a percentage above its range',
      { rollout: { minimumHealthyPercent: 101 } },
      'rollout.minimumHealthyPercent: found 101 (a number); allowed: a percentage from 0 to 100',
    ],
    [
      'a percentage with its sign',
      { rollout: { maximumPercent: '200%' } },
      'rollout.maximumPercent: found "200%"; allowed: a percentage from 100 to 200, as a plain number',
    ],
    [
      'a share above 1',
      { verification: { metrics: { minimumRequests: 1, maximumErrorRate: 5 } } },
      'verification.metrics.maximumErrorRate: found 5 (a number); allowed: a share from 0 to 1',
    ],
    [
      'a fraction of a task',
      { desiredCount: 1.5 },
      'desiredCount: found 1.5 (a number); allowed: a whole number from 1 to 5000, or a map',
    ],
    [
      'a wrong count in a map of counts',
      { desiredCount: { web: 0 } },
      'desiredCount.web: found 0 (a number); allowed: a whole number from 1 to 5000',
    ],
    [
      'a path out of the repository',
      { settings: '../settings.json' },
      'settings: found "../settings.json"; allowed: a path inside the repository',
    ],
    [
      'an absolute path',
      { settings: '/etc/settings.json' },
      'settings: found "/etc/settings.json"; allowed: a path inside the repository',
    ],
    [
      'a variable that is a number',
      { terraform: { directory: 't', variables: { size: 3 } } },
      'terraform.variables.size: found 3 (a number); allowed: a text; a number, true or false goes in quotes',
    ],
    [
      'an empty value',
      { terraform: null },
      'terraform: found an empty value; allowed: a map with fields of directory',
    ],
  ])('that is %s is told', (_name, fields, expected) => {
    expect(problemsOf(withEnvironment(fields)).join('\n')).toContain(`environments.production.${expected}`);
  });

  test('of a name that people choose is checked as well', () => {
    const environments = { Production: anEnvironment() };
    expect(problemsOf(aPlatformFile({ environments }))).toEqual([
      expect.stringContaining(
        'environments.Production: found the name "Production"; allowed: a name of 1 to 31 lower-case letters',
      ),
    ]);
  });

  test('may be called as a person likes, also __proto__, without effect on others', () => {
    expect(
      problemsOf('__proto__: { platform: evil }\nplatform: notes\nservices: {}\nenvironments: {}\n').join(
        '\n',
      ),
    ).toContain('__proto__');
  });
});
