import { describe, expect, test } from '@jest/globals';
import { terraformFailed } from '../../../src/activities/terraform/errors.ts';
import type { Phase } from '../../../src/activities/terraform/errors.ts';
import { TARGET } from './support.ts';

function failed(phase: Phase, summary: string, detail = '') {
  return terraformFailed({ target: TARGET, phase, exitCode: 1, errors: [{ summary, detail }], output: '' });
}

describe('an error of terraform', () => {
  test.each<[Phase, string, string]>([
    ['init', 'Invalid quoted type constraints', ''],
    ['validate', 'Unsupported argument', 'An argument named "timeout" is not expected here.'],
    ['plan', 'Invalid for_each argument', 'The "for_each" set includes values derived from others.'],
  ])('that is unknown is not tried again in %s: %s', (phase, summary, detail) => {
    expect(failed(phase, summary, detail)).toMatchObject({
      nonRetryable: true,
      details: [{ reason: 'Unknown' }],
    });
  });

  test.each<[Phase, string, string]>([
    ['plan', 'Error acquiring the state lock', ''],
    ['init', 'Failed to query available provider packages', ''],
    ['init', 'Error configuring S3 Backend', 'dial tcp 10.0.0.1:443: i/o timeout'],
    ['plan', 'reading ECS Service (web)', 'lookup ecs.eu-west-1.amazonaws.com: no such host'],
    ['plan', 'reading ECS Service (web)', 'ThrottlingException: Rate exceeded'],
    ['plan', 'reading ECS Cluster: https response error StatusCode: 503', ''],
    ['init', 'Failed to load state', 'net/http: TLS handshake timeout'],
  ])('that may pass is tried again in %s: %s', (phase, summary, detail) => {
    expect(failed(phase, summary, detail).nonRetryable).toBe(false);
  });

  test('of the network is not tried again in an apply, which it may have cut', () => {
    expect(failed('apply', 'creating ECS Service (web)', 'i/o timeout').nonRetryable).toBe(true);
  });

  test('is tried again when terraform was killed before it said a word', () => {
    const killed = { target: TARGET, phase: 'plan', exitCode: undefined, errors: [], output: '' } as const;
    expect(terraformFailed(killed).nonRetryable).toBe(false);
  });
});
