import { describe, expect, test } from '@jest/globals';
import { environmentPolicy } from '../../src/platform/policy.ts';
import { parse, problemsOf, withEnvironment } from './builders.ts';

const withTerraform = (fields: Record<string, unknown>) =>
  withEnvironment({ terraform: { directory: 'terraform', ...fields } });
const policyOf = (fields: Record<string, unknown>) =>
  environmentPolicy(parse(withTerraform(fields)), 'production').terraform;

describe('terraform.allowDestroy', () => {
  test('is nothing by default, and every type may change', () => {
    expect(policyOf({})).toEqual({
      directory: 'terraform',
      backend: {},
      variables: {},
      parameters: {},
      variableFiles: [],
      allowDestroy: false,
    });
  });

  test.each([[true], [false], [['aws_sqs_queue.jobs', 'module.cache["eu west"].*', '*']]])(
    'can be %j',
    (allowDestroy) => {
      expect(policyOf({ allowDestroy })?.allowDestroy).toEqual(allowDestroy);
    },
  );

  test.each<[unknown, string]>([
    ['yes', 'allowDestroy: found "yes"; allowed: true, false, or a list of addresses'],
    [[], 'allowDestroy: found the list []; allowed: a list of one or more patterns of addresses'],
    [['aws_x.y', 7], "allowDestroy[1]: found 7 (a number); allowed: a resource's address"],
    [[' aws_x.y'], 'allowDestroy[0]: found " aws_x.y"; allowed: a resource\'s address'],
  ])('can not be %j', (allowDestroy, problem) => {
    expect(problemsOf(withTerraform({ allowDestroy }))).toEqual([expect.stringContaining(problem)]);
  });
});

describe('terraform.allowedTypes', () => {
  test('are patterns of types', () => {
    expect(policyOf({ allowedTypes: ['aws_ecs_*', 'random_id'] })?.allowedTypes).toEqual([
      'aws_ecs_*',
      'random_id',
    ]);
  });

  test.each<[unknown, string]>([
    [[], 'allowedTypes: found the list []; allowed: a list of one or more patterns of resource types'],
    [['aws_x.y'], 'allowedTypes[0]: found "aws_x.y"; allowed: a resource type'],
    ['aws_*', 'allowedTypes: found "aws_*"; allowed: a list of patterns of resource types'],
  ])('can not be %j', (allowedTypes, problem) => {
    expect(problemsOf(withTerraform({ allowedTypes }))).toEqual([expect.stringContaining(problem)]);
  });
});

describe('terraform.parameters', () => {
  test('have names of Terraform variables and of SSM parameters', () => {
    expect(problemsOf(withTerraform({ parameters: { 'my key': '/a', key: 'a b' } }))).toEqual([
      expect.stringContaining('the name of a Terraform variable'),
      expect.stringContaining('parameters.key: found "a b"; allowed: the name of an SSM parameter'),
    ]);
  });

  test('have no variable that has a value already', () => {
    const file = withTerraform({
      variables: { size: 'l' },
      parameters: { size: '/notes/size', other: '/o' },
    });
    expect(problemsOf(file)).toEqual([
      expect.stringContaining(
        'environments.production.terraform.parameters.size: found the Terraform variable size, which terraform.variables gives a value too; allowed: each variable in one of terraform.variables and terraform.parameters',
      ),
    ]);
  });
});
