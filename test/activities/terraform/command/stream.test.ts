import { describe, expect, test } from '@jest/globals';
import { UiStream } from '../../../../src/activities/terraform/command/stream.ts';

const START = Date.parse('2026-01-01T00:00:00Z');

/** A line as terraform writes it, `at` seconds after the start. */
function line(type: string, content: Readonly<Record<string, unknown>>, at = 0): string {
  const timestamp = new Date(START + at * 1000).toISOString();
  return JSON.stringify({ '@level': 'info', '@message': 'm', '@timestamp': timestamp, ...content, type });
}
const hook = (type: string, addr: string, action: string, at = 0) =>
  line(type, { hook: { resource: { addr }, action } }, at);
const planned = (addr: string, action: string) =>
  line('planned_change', { change: { resource: { addr }, action } });
const provision = (type: string, addr: string, output?: string) =>
  line(type, {
    hook: { resource: { addr }, provisioner: 'local-exec', ...(output !== undefined && { output }) },
  });

function streamOf(...lines: readonly string[]): UiStream {
  const stream = new UiStream();
  for (const each of lines) stream.read(each);
  return stream;
}
const after = (seconds: number) => START + seconds * 1000;

describe('an apply', () => {
  const plan = ['create', 'update', 'replace'].map((action, i) => planned(`aws_x.r${i}`, action));

  test('says how much is done and what is under way, the longest first', () => {
    const stream = streamOf(
      ...plan,
      hook('apply_start', 'aws_x.r0', 'create'),
      hook('apply_complete', 'aws_x.r0', 'create', 1),
      hook('apply_start', 'aws_x.r2', 'delete', 1),
      hook('apply_start', 'aws_x.r1', 'update', 3),
      hook('apply_progress', 'aws_x.r2', 'delete', 11),
    );
    expect(stream.describe(after(13))).toBe(
      '1 of 4 done; destroying aws_x.r2 (12 s), changing aws_x.r1 (10 s)',
    );
  });

  test('counts what failed', () => {
    const stream = streamOf(
      ...plan,
      hook('apply_start', 'aws_x.r0', 'create'),
      hook('apply_errored', 'aws_x.r0', 'create', 5),
    );
    expect(stream.describe(after(6))).toBe('0 of 4 done, 1 failed');
    expect(stream.busy).toBe(false);
  });

  test('names three at most', () => {
    const all = ['a', 'b', 'c', 'd', 'e'].map((name) => hook('apply_start', `aws_x.${name}`, 'create'));
    expect(streamOf(...all).describe(after(0))).toBe('0 done; creating aws_x.a, aws_x.b, aws_x.c and 2 more');
  });

  test('names the provisioner at work, and nothing that it says', () => {
    const stream = streamOf(
      hook('apply_start', 'terraform_data.x', 'create'),
      provision('provision_start', 'terraform_data.x'),
      provision('provision_progress', 'terraform_data.x', 'hunter2'),
    );
    expect(stream.describe(after(2))).toBe('0 done; creating terraform_data.x (local-exec, 2 s)');
    stream.read(provision('provision_errored', 'terraform_data.x'));
    expect(stream.describe(after(2))).toBe('0 done; creating terraform_data.x (2 s)');
  });

  test('tells what it began to make and what it made, of a replacement too', () => {
    const stream = streamOf(
      hook('apply_start', 'aws_x.a', 'create'),
      hook('apply_start', 'aws_x.b', 'delete'),
      hook('apply_complete', 'aws_x.b', 'delete'),
      hook('apply_start', 'aws_x.b', 'create'),
      hook('apply_complete', 'aws_x.b', 'create'),
      hook('apply_start', 'aws_x.c', 'update'),
    );
    expect([...stream.creating]).toEqual(['aws_x.a', 'aws_x.b']);
    expect([...stream.created]).toEqual(['aws_x.b']);
  });

  test('is busy while something changes, and not when it sums up', () => {
    const stream = streamOf(hook('apply_start', 'aws_x.a', 'create'));
    expect(stream.busy).toBe(true);
    stream.read(line('change_summary', { changes: { add: 1, operation: 'apply' } }));
    expect(stream.busy).toBe(false);
  });

  test('a data source that is read while it applies is no change that is done', () => {
    const stream = streamOf(
      planned('aws_x.a', 'create'),
      hook('apply_start', 'data.aws_y.b', 'read'),
      hook('apply_complete', 'data.aws_y.b', 'read'),
      hook('apply_start', 'aws_x.a', 'create'),
    );
    expect(stream.describe(after(0))).toBe('0 of 1 done; creating aws_x.a');
  });
});

test('a plan says what it refreshes and how many changes it found', () => {
  const stream = streamOf(
    hook('refresh_start', 'aws_x.a', ''),
    hook('refresh_complete', 'aws_x.a', ''),
    hook('refresh_start', 'aws_x.b', ''),
  );
  expect(stream.describe(after(4))).toBe('1 refreshed; refreshing aws_x.b (4 s)');
  expect(stream.busy).toBe(false);
  stream.read(hook('refresh_complete', 'aws_x.b', ''));
  stream.read(planned('aws_x.b', 'update'));
  expect(stream.describe(after(4))).toBe('2 refreshed, 1 changes planned');
});

test('has nothing to say of lines of another kind, cut or not JSON at all', () => {
  const stream = streamOf(
    'Initializing...',
    hook('apply_start', 'aws_x.a', 'create').slice(0, -20),
    '{"type":"apply_start"',
    line('version', { terraform: '1.11.4' }),
    line('apply_start', { hook: null }),
  );
  expect(stream.creating.size).toBe(0);
  expect(streamOf().describe(after(0))).toBeUndefined();
});
