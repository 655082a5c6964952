import { describe, expect, test } from '@jest/globals';
import {
  parameterArn,
  parsePlaceholder,
  parseTemplate,
  placeholdersOf,
  render,
  secretValueFrom,
  withImage,
} from '../../src/domain/task-definition.ts';
import type { TaskDefinition } from '../../src/domain/task-definition.ts';

const aTemplate = (change: Partial<TaskDefinition> = {}): TaskDefinition => ({
  family: 'notes-${environment}-web',
  containerDefinitions: [
    {
      name: 'web',
      image: '${image}',
      environment: [{ name: 'URL', value: 'https://${output:host}/${version}' }],
    },
    { name: 'log', image: 'fluent/fluent-bit@sha256:1' },
  ],
  ...change,
});

describe('reading a template', () => {
  test('JSON with the fields of RegisterTaskDefinition is taken as it is', () => {
    expect(parseTemplate(JSON.stringify(aTemplate()))).toEqual({ kind: 'ok', template: aTemplate() });
  });

  test.each([
    ['text that is no JSON', '{', /not JSON/],
    ['a list', '[]', /must be a JSON object/],
    ['no family', JSON.stringify({ containerDefinitions: [{}] }), /^family:/],
    ['no containers', JSON.stringify({ family: 'a', containerDefinitions: [] }), /^containerDefinitions:/],
    ['a field with a typing error', JSON.stringify(aTemplate({ cpus: '1' })), /^cpus: no such field.*cpu,/],
  ])('%s is refused with what is allowed', (_what, text, problem) => {
    expect(parseTemplate(text)).toEqual({ kind: 'invalid', problems: [expect.stringMatching(problem)] });
  });

  test('all problems are told, not the first', () => {
    expect(parseTemplate('{"cpus": 1}')).toMatchObject({ kind: 'invalid', problems: { length: 3 } });
  });
});

describe('rendering', () => {
  test('values go into every string, and what has none stays and is told', () => {
    const { definition, unresolved } = render(aTemplate(), {
      environment: 'production',
      version: '1.4.0',
      image: 'i',
    });
    expect(definition.family).toBe('notes-production-web');
    expect(definition.containerDefinitions[0]?.environment).toEqual([
      { name: 'URL', value: 'https://${output:host}/1.4.0' },
    ]);
    expect(unresolved).toEqual(['output:host']);
  });

  test('numbers, booleans and keys are left alone', () => {
    const template = aTemplate({
      ephemeralStorage: { sizeInGiB: 30 },
      enableFaultInjection: true,
      '${version}': null,
    });
    expect(render(template, { version: '1.4.0' }).definition).toMatchObject({
      ephemeralStorage: { sizeInGiB: 30 },
      enableFaultInjection: true,
      '${version}': null,
    });
  });

  test('the placeholders of a template are listed once', () => {
    expect(placeholdersOf(aTemplate())).toEqual(['environment', 'image', 'output:host', 'version']);
  });

  test('the image goes on the named container alone', () => {
    const images = withImage(aTemplate(), 'web', 'host/web@sha256:2')?.containerDefinitions.map(
      ({ image }) => image,
    );
    expect(images).toEqual(['host/web@sha256:2', 'fluent/fluent-bit@sha256:1']);
  });

  test('a container that the template does not have gets no image', () => {
    expect(withImage(aTemplate(), 'editor', 'image')).toBeUndefined();
  });
});

describe('placeholders', () => {
  test.each([
    ['version', { kind: 'version' }],
    ['output:url', { kind: 'output', name: 'url' }],
    ['secret:notes/key', { kind: 'secret', name: 'notes/key' }],
    ['secret:notes/key:password', { kind: 'secret', name: 'notes/key', jsonKey: 'password' }],
    ['parameter:/notes/region', { kind: 'parameter', name: '/notes/region' }],
    ['versions', undefined],
    ['version:1', undefined],
    ['output', undefined],
    ['setting:a:b', undefined],
    ['secret:a:b:c', undefined],
    ['secret:a:', undefined],
  ])('%s', (text, expected) => {
    expect(parsePlaceholder(text)).toEqual(expected);
  });
});

test("a parameter's ARN holds one slash, with or without a hierarchy", () => {
  const at = { region: 'eu-west-1', account: '123456789012' };
  expect(parameterArn(at, '/notes/region')).toBe('arn:aws:ssm:eu-west-1:123456789012:parameter/notes/region');
  expect(parameterArn(at, 'region')).toBe('arn:aws:ssm:eu-west-1:123456789012:parameter/region');
  expect(parameterArn({ ...at, region: 'cn-north-1' }, 'region')).toMatch(/^arn:aws-cn:/);
});

test('a secret is pinned by its version id, with and without a JSON key', () => {
  expect(secretValueFrom('arn:x', 'v1')).toBe('arn:x:::v1');
  expect(secretValueFrom('arn:x', 'v1', 'password')).toBe('arn:x:password::v1');
});
