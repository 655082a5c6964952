import { describe, expect, test } from '@jest/globals';
import { hardeningProblems } from '../../src/domain/hardening.ts';
import type { ContainerDefinition, HardenedDefinition } from '../../src/domain/hardening.ts';

const hardened = {
  name: 'web',
  user: '1000:1000',
  readonlyRootFilesystem: true,
  memory: 128,
  logConfiguration: { logDriver: 'awslogs' },
} satisfies ContainerDefinition;

const withContainer = (change: ContainerDefinition): HardenedDefinition => ({
  containerDefinitions: [{ ...hardened, ...change }],
});
const without = (field: keyof typeof hardened): HardenedDefinition => ({
  containerDefinitions: [Object.fromEntries(Object.entries(hardened).filter(([name]) => name !== field))],
});

test('a hardened container has no problems', () => {
  expect(hardeningProblems({ containerDefinitions: [hardened] })).toEqual([]);
});

test.each<[string, HardenedDefinition, RegExp]>([
  ['a writable root file system', withContainer({ readonlyRootFilesystem: false }), /readonlyRootFilesystem/],
  ['an unsaid root file system', without('readonlyRootFilesystem'), /readonlyRootFilesystem/],
  ['no user', without('user'), /set user to one that is not root/],
  ['user root', withContainer({ user: 'root' }), /user is root:/],
  ['user root with a group', withContainer({ user: 'root:1000' }), /user is root:1000:/],
  ['user 0', withContainer({ user: '0' }), /user is 0:/],
  ['user 0:0', withContainer({ user: '0:0' }), /user is 0:0:/],
  ['privileged', withContainer({ privileged: true }), /privileged/],
  [
    'added capabilities',
    withContainer({ linuxParameters: { capabilities: { add: ['SYS_ADMIN'] } } }),
    /SYS_ADMIN/,
  ],
  ['an essential container without memory', without('memory'), /memory/],
  ['no log configuration', without('logConfiguration'), /logConfiguration/],
  [
    'a plain secret',
    withContainer({ environment: [{ name: 'DB_PASSWORD', value: 'x' }] }),
    /DB_PASSWORD.*\$\{secret:NAME\}/,
  ],
])('%s is one problem that names the container and what to do', (_what, definition, expected) => {
  const problems = hardeningProblems(definition);
  expect(problems).toHaveLength(1);
  expect(problems[0]).toMatch(expected);
  expect(problems[0]).toMatch(/^container web: /);
});

test("the task's memory serves for its containers, and a container that isn't essential needs none", () => {
  expect(hardeningProblems({ ...without('memory'), memory: '512' })).toEqual([]);
  const [container] = without('memory').containerDefinitions;
  expect(hardeningProblems({ containerDefinitions: [{ ...container, essential: false }] })).toEqual([]);
});

describe('names of environment variables', () => {
  const found = (name: string) =>
    hardeningProblems(withContainer({ environment: [{ name, value: 'x' }] })).length === 1;

  test.each([
    'PASSWORD',
    'DB_PASSWORD',
    'CLIENT_SECRET',
    'SECRET_KEY',
    'API_KEY',
    'APIKEY',
    'GITHUB_TOKEN',
    'modelApiKey',
    'SSH_PRIVATE_KEY',
  ])('%s looks like a secret', (name) => expect(found(name)).toBe(true));
  test.each([
    'MAX_TOKENS',
    'TOKEN_LIMIT',
    'API_KEY_FILE',
    'DB_SECRET_ARN',
    'SECRETARY',
    'LOG_LEVEL',
    'PASSWORD_LENGTH',
  ])('%s does not', (name) => expect(found(name)).toBe(false));
});

test('every container is looked at', () => {
  const definition = {
    containerDefinitions: [
      { ...hardened, privileged: true },
      { ...hardened, name: 'log', user: '0' },
    ],
  };
  expect(hardeningProblems(definition)).toEqual([
    expect.stringContaining('container web'),
    expect.stringContaining('container log'),
  ]);
});
