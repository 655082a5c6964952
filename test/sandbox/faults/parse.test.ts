import { readFile } from 'node:fs/promises';
import { describe, expect, test } from '@jest/globals';
import { parseRule } from '../../../sandbox/faults/parse.ts';
import { allModels } from '../../../sandbox/protocol/model.ts';

const parse = (rule: unknown): unknown => parseRule(allModels(), rule);

describe('what is understood', () => {
  test('a rule about nothing in particular is about every call', () => {
    expect(parse({ fault: 'throttle' })).toEqual({ fault: 'throttle', skip: 0 });
  });

  test.each([
    ['ecs', 'ecs'],
    ['elbv2', 'elbv2'],
    ['elasticloadbalancing', 'elbv2'],
    ['monitoring', 'cloudwatch'],
    ['cloudwatch', 'cloudwatch'],
    ['secretsmanager', 'secretsmanager'],
  ])('the service %s is %s', (service, model) => {
    expect(parse({ fault: 'throttle', service })).toMatchObject({ service: model });
  });

  test('an error of the model is enough; its status is the model’s', () => {
    expect(
      parse({ fault: 'error', service: 'ecs', action: 'UpdateService', code: 'ServiceNotActiveException' }),
    ).toEqual({
      fault: 'error',
      service: 'ecs',
      action: 'UpdateService',
      code: 'ServiceNotActiveException',
      message: 'ServiceNotActiveException on request',
      skip: 0,
    });
  });

  test('500 and 503 need no code, and with a 5xx any code is taken', () => {
    expect(parse({ fault: 'error', status: 503 })).toMatchObject({ code: 'ServiceUnavailable', status: 503 });
    expect(parse({ fault: 'error', status: 500 })).toMatchObject({ code: 'InternalFailure' });
    expect(parse({ fault: 'error', status: 504, code: 'GatewayTimeout' })).toMatchObject({ status: 504 });
  });

  test('a stopped reason may be its name alone', () => {
    const given = (reason: string): unknown => parse({ fault: 'taskNeverStarts', reason });
    expect(given('CannotPullContainerError')).toMatchObject({
      tasks: {},
      reason: expect.stringMatching(/^CannotPullContainerError: pull image manifest has been retried 5 time/),
    });
    expect(given('ResourceInitializationError: no role')).toMatchObject({
      reason: 'ResourceInitializationError: no role',
    });
  });
});

test('the guide’s examples are rules', async () => {
  const guide = await readFile(new URL('../../../sandbox/faults/README.md', import.meta.url), 'utf8');
  const examples = [...guide.matchAll(/^ {4}(\{.*\})$/gm)].map(([, json = '']) => JSON.parse(json) as object);
  expect(examples.length).toBeGreaterThan(4);
  for (const example of examples) expect(parse(example)).toMatchObject({ fault: expect.any(String) });
});

describe('what is refused, and how', () => {
  test.each([
    ['no object', [], "A rule is a JSON object with a member 'fault', one of throttle, error"],
    ['no fault', {}, "'fault' must be one of throttle, error, latency, lostAnswer, hang, taskNeverStarts"],
    ['an unknown fault', { fault: 'explode' }, 'found "explode"'],
    [
      'an unknown service',
      { fault: 'throttle', service: 's3' },
      "'service' must be one of cloudwatch or monitoring, ecr, ecs, elbv2 or elasticloadbalancing, secretsmanager, ssm, sts; found 's3'",
    ],
    [
      'an action of another service',
      { fault: 'throttle', service: 'ssm', action: 'UpdateService' },
      "'action' must be one of AddTagsToResource, DeleteParameter,",
    ],
    [
      'a member that the action lacks',
      { fault: 'throttle', service: 'ecs', action: 'StopTask', match: { service: 'web' } },
      "'match' must name members of the input, cluster, reason, task; found 'service'",
    ],
    [
      'an error that the action does not have',
      { fault: 'error', service: 'ssm', action: 'GetParameter', code: 'ClusterNotFoundException' },
      "'code' must be one of InternalServerError, InvalidKeyId, ParameterNotFound, ParameterVersionNotFound, or come with a 'status' from 500 to 599",
    ],
    ['an error without code and status', { fault: 'error', service: 'ssm' }, 'found none'],
    ['a status of success', { fault: 'error', status: 200, code: 'X' }, "'status' must be from 500 to 599"],
    [
      'another status than the model’s',
      { fault: 'error', service: 'ecs', code: 'ClientException', status: 404 },
      "'status' must be from 500 to 599, or what the model says of 'code'; found 404",
    ],
    ['a latency of nothing', { fault: 'latency' }, "'milliseconds': "],
    ['times of zero', { fault: 'throttle', times: 0 }, "'times': "],
    ['half a skip', { fault: 'throttle', skip: 0.5 }, "'skip': "],
    [
      'a member of another fault',
      { fault: 'hang', milliseconds: 5 },
      "'milliseconds' is no member of a rule of fault 'hang'; it may have fault, service, action, match, skip, times",
    ],
    [
      'tasks by what they do not have',
      { fault: 'ignoresSigterm', tasks: { name: 'web' } },
      "'name' is no member of 'tasks'; it may have cluster, service, family, taskDefinition",
    ],
    [
      'a stopped reason that ECS does not have',
      { fault: 'taskNeverStarts', reason: 'Tired' },
      "'reason': must be one of ECS's errors, with or without ': ' and a text: CannotPullContainerError",
    ],
  ])('%s', (_, rule, message) => {
    expect(() => parse(rule)).toThrow(message);
  });
});
