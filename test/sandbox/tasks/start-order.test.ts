import { expect, test } from '@jest/globals';
import { readiness } from '../../../sandbox/tasks/start-order.ts';
import type { Progress } from '../../../sandbox/tasks/start-order.ts';

const waiting: Progress = { started: false, healthy: false };
const started: Progress = { started: true, healthy: false };
const healthy: Progress = { started: true, healthy: true };
const ended = (exitCode: number): Progress => ({ started: true, healthy: false, exitCode });

test.each([
  ['START', waiting, 'waiting'],
  ['START', started, 'ready'],
  ['HEALTHY', started, 'waiting'],
  ['HEALTHY', healthy, 'ready'],
  ['HEALTHY', ended(0), 'impossible'],
  ['COMPLETE', started, 'waiting'],
  ['COMPLETE', ended(1), 'ready'],
  ['SUCCESS', started, 'waiting'],
  ['SUCCESS', ended(0), 'ready'],
  ['SUCCESS', ended(1), 'impossible'],
] as const)('%s of %j is %s', (condition, progress, expected) => {
  const container = { name: 'web', dependsOn: [{ containerName: 'other', condition }] };
  expect(readiness(container, () => progress)).toBe(expected);
});

test('one that can never be met outweighs one that is waited for', () => {
  const dependsOn = [
    { containerName: 'slow', condition: 'START' as const },
    { containerName: 'failed', condition: 'SUCCESS' as const },
  ];
  const progress = (name: string): Progress => (name === 'slow' ? waiting : ended(1));
  expect(readiness({ dependsOn }, progress)).toBe('impossible');
});
