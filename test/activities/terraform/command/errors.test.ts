import { describe, expect, test } from '@jest/globals';
import { readDiagnostics } from '../../../../src/activities/terraform/command/diagnostics.ts';
import { terraformFailed } from '../../../../src/activities/terraform/command/errors.ts';
import type { Phase } from '../../../../src/activities/terraform/command/errors.ts';
import { TARGET } from '../support.ts';

function failed(phase: Phase, summary: string, detail = '') {
  return terraformFailed({ target: TARGET, phase, exitCode: 1, errors: [{ summary, detail }], output: '' });
}

describe('an error of terraform', () => {
  test.each<[Phase, string, string]>([
    ['init', 'Something of a later version', ''],
    ['validate', 'Something of a provider', 'Its field "timeout" is wrong.'],
    ['plan', 'reading ECS Service (web)', 'ClientException: no such thing'],
    ['apply', 'creating ECR Registry Policy', 'InvalidParameterException: not a policy'],
    ['apply', 'updating App Mesh Virtual Node backend', 'BadRequestException: no such node'],
  ])('that is unknown is not tried again in %s: %s', (phase, summary, detail) => {
    expect(failed(phase, summary, detail)).toMatchObject({
      nonRetryable: true,
      details: [{ reason: 'Unknown' }],
    });
  });

  test.each<[reason: string, Phase, string, string]>([
    ['StateLocked', 'plan', 'Error acquiring the state lock', 'Lock Info: ID: 1'],
    ['StateLocked', 'apply', 'Error acquiring the state lock', 'Lock Info: ID: 1'],
    ['Unreachable', 'apply', 'Error acquiring the state lock', 'dial tcp 10.0.0.1:80: connection refused'],
    ['ProviderUnavailable', 'init', 'Failed to query available provider packages', 'i/o timeout'],
    ['Unreachable', 'init', 'Error configuring S3 Backend', 'dial tcp 10.0.0.1:443: i/o timeout'],
    ['Unreachable', 'plan', 'reading ECS Service (web)', 'lookup ecs.amazonaws.com: no such host'],
    ['Throttled', 'plan', 'reading ECS Service (web)', 'ThrottlingException: Rate exceeded'],
    ['Unreachable', 'plan', 'reading ECS Cluster: https response error StatusCode: 503', ''],
    ['Unreachable', 'init', 'Failed to load state', 'net/http: TLS handshake timeout'],
    ['CredentialsExpired', 'plan', 'reading ECS Cluster', 'ExpiredTokenException: The security token'],
    ['ProviderCrashed', 'plan', 'Plugin did not respond', 'The plugin encountered an error'],
  ])('%s is tried again in %s: %s (%s)', (reason, phase, summary, detail) => {
    expect(failed(phase, summary, detail)).toMatchObject({ nonRetryable: false, details: [{ reason }] });
  });

  test.each<[reason: string, string, string]>([
    ['Unreachable', 'creating ECS Service (web)', 'i/o timeout'],
    ['CredentialsExpired', 'creating ECS Service (web)', 'ExpiredTokenException: The security token'],
    ['Throttled', 'creating ECS Service (web)', 'ThrottlingException: Rate exceeded'],
    ['ProviderCrashed', 'Plugin did not respond', 'The plugin encountered an error'],
  ])('%s is not tried again in an apply, of which it may have cut a change', (reason, summary, detail) => {
    expect(failed('apply', summary, detail)).toMatchObject({ nonRetryable: true, details: [{ reason }] });
  });

  test.each<[reason: string, Phase, string, string]>([
    ['AccessDenied', 'plan', 'reading ECS Cluster', 'AccessDeniedException: User: arn:aws:sts::1:x is not'],
    ['AccessDenied', 'plan', 'Error acquiring the state lock', 'AccessDenied: Access Denied'],
    ['AccessDenied', 'plan', 'Cannot assume IAM Role', 'IAM Role (arn:aws:iam::1:role/x) cannot be assumed.'],
    ['CredentialsInvalid', 'plan', 'configuring provider', 'InvalidClientTokenId: The security token'],
    ['CredentialsInvalid', 'init', 'validating credentials', 'SignatureDoesNotMatch: The request signature'],
    ['BackendAccess', 'plan', 'Error acquiring the state lock', 'HTTP remote state endpoint requires auth'],
    ['LimitReached', 'apply', 'creating EIP', 'AddressLimitExceeded: The maximum number of addresses'],
    ['LimitReached', 'apply', 'creating Service', 'ServiceQuotaExceededException: too many'],
    ['AlreadyExists', 'apply', 'creating IAM Role', 'EntityAlreadyExists: Role with name x already exists.'],
    ['StateNewer', 'plan', 'Resource instance managed by newer provider version', ''],
    ['StateCorrupt', 'init', 'Error refreshing state: Invalid state file format: resources', ''],
    ['Certificate', 'init', 'Failed to get state', 'x509: certificate signed by unknown authority'],
    ['PreventDestroy', 'plan', 'Instance cannot be destroyed', ''],
    ['ProviderDefect', 'apply', 'Provider produced inconsistent result after apply', ''],
    ['ModuleAccess', 'init', 'Failed to download module', 'fatal: Authentication\nfailed for x'],
    ['ModuleNotFound', 'init', 'Failed to download module', "fatal: couldn't find remote ref v9"],
    [
      'ProviderNotFound',
      'init',
      'Failed to query available provider packages',
      'no available releases match',
    ],
    ['LockFile', 'init', 'Inconsistent dependency lock file', 'The following dependency selections'],
    ['StateNotSaved', 'apply', 'Failed to persist state to backend', 'ExpiredToken: the token has expired'],
    ['ConditionFailed', 'plan', 'Resource precondition failed', 'No.'],
  ])('%s is not tried again in %s: %s (%s)', (reason, phase, summary, detail) => {
    expect(failed(phase, summary, detail)).toMatchObject({ nonRetryable: true, details: [{ reason }] });
  });

  test('beside another that is worse gives way to it', () => {
    const errors = [
      { summary: 'creating ECS Service (web)', detail: 'AccessDeniedException' },
      { summary: 'Failed to persist state to backend', detail: '' },
    ];
    const failure = terraformFailed({ target: TARGET, phase: 'apply', exitCode: 1, errors, output: '' });
    expect(failure.details).toMatchObject([{ reason: 'StateNotSaved' }]);
  });

  test('is tried again when terraform was killed before it said a word', () => {
    const killed = { target: TARGET, phase: 'plan', exitCode: undefined, errors: [], output: '' } as const;
    expect(terraformFailed(killed).nonRetryable).toBe(false);
  });
});

describe('diagnostics are read', () => {
  test('out of text, in frames and colours', () => {
    const text = [
      '\u001B[31m╷\u001B[0m',
      '\u001B[31m│\u001B[0m \u001B[1m\u001B[31mError: \u001B[0m\u001B[1mUnsupported argument\u001B[0m',
      '\u001B[31m│\u001B[0m',
      '\u001B[31m│\u001B[0m An argument named "x" is not expected here.',
      '\u001B[31m╵\u001B[0m',
    ].join('\n');
    expect(readDiagnostics('', text)).toEqual([
      { summary: 'Unsupported argument', detail: 'An argument named "x" is not expected here.' },
    ]);
  });

  test('out of the stream, errors alone', () => {
    const lines = [
      { '@level': 'warn', diagnostic: { severity: 'warning', summary: 'Deprecated', detail: '' } },
      { '@level': 'error', diagnostic: { severity: 'error', summary: 'Bad', detail: 'Why', address: 'a.b' } },
    ];
    const stdout = lines.map((line) => JSON.stringify(line)).join('\n');
    expect(readDiagnostics(stdout, '')).toEqual([
      { summary: 'Bad', detail: 'with a.b: Why', address: 'a.b' },
    ]);
  });

  test('out of an error that comes from beside the diagnostics', () => {
    const stderr = 'Error refreshing state: HTTP remote state endpoint requires auth\n';
    expect(readDiagnostics('Initializing the backend...\n', stderr)).toEqual([
      { summary: 'Error refreshing state: HTTP remote state endpoint requires auth', detail: '' },
    ]);
  });

  test('out of text that names no error: none', () => {
    expect(readDiagnostics('Initializing the backend...\n', 'Killed\n')).toEqual([]);
  });
});
