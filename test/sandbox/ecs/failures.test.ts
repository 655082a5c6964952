import { describe, expect, test } from '@jest/globals';
import { createClock } from '../../../sandbox/clock.ts';
import { afterFailure, afterSuccess, pauseAfter } from '../../../sandbox/ecs/failures.ts';
import type { DeploymentRecord, ServiceRecord, TaskRecord } from '../../../sandbox/ecs/records.ts';
import { reservedBy } from '../../../sandbox/ecs/task-spec.ts';

const clock = createClock(1);

const aService = (deployment: Partial<DeploymentRecord> = {}): ServiceRecord =>
  ({
    deployments: [{ id: 'd', failedTasks: 0, succeeded: false, launchFailures: 0, ...deployment }],
  }) as unknown as ServiceRecord;

const aTask = (given: Partial<TaskRecord>): TaskRecord =>
  ({ succeeded: false, service: { deploymentId: 'd' }, ...given }) as unknown as TaskRecord;

const died = aTask({ stopCode: 'EssentialContainerExited' });

describe('a task’s end', () => {
  test.each([
    ['a task that could not start', { stopCode: 'TaskFailedToStart' }, 1],
    ['a task that ended by itself', { stopCode: 'EssentialContainerExited' }, 1],
    ['a task stopped for its health', { stopCode: 'ServiceSchedulerInitiated', failedChecks: true }, 1],
    ['a task that was scaled in', { stopCode: 'ServiceSchedulerInitiated', failedChecks: false }, 0],
    ['a task that someone stopped', { stopCode: 'UserInitiated' }, 0],
    ['a task whose host went away', { stopCode: 'TerminationNotice' }, 0],
  ] as const)('of %s counts as it should', (_, task, failedTasks) => {
    const { service } = afterFailure(aService(), aTask(task), clock);
    expect(service.deployments[0]).toMatchObject({ failedTasks });
  });

  test('is no longer counted once a task has run successfully, but still slows the next start', () => {
    const succeeded = afterSuccess(aService({ failedTasks: 2, launchFailures: 5 }), died);
    expect(succeeded.deployments[0]).toMatchObject({ failedTasks: 0, launchFailures: 0, succeeded: true });
    const { service } = afterFailure(succeeded, died, clock);
    expect(service.deployments[0]).toMatchObject({
      failedTasks: 0,
      launchFailures: 1,
      notBefore: expect.any(String),
    });
  });

  test('is said at the third launch in a row that failed, once', () => {
    const says = (launchFailures: number): readonly string[] =>
      afterFailure(aService({ launchFailures }), died, clock).says;
    expect(says(1)).toEqual([]);
    expect(says(2)).toEqual(['is unable to consistently start tasks successfully.']);
    expect(says(3)).toEqual([]);
  });
});

test('pauses double from one second to the 27 minutes that AWS documents', () => {
  expect([1, 2, 3, 4, 12].map(pauseAfter)).toEqual([0, 1000, 2000, 4000, 1_024_000]);
  expect(pauseAfter(60)).toBe(27 * 60 * 1000);
});

test.each([
  [
    { cpu: '512', memory: '1024' },
    { cpu: 512, memory: 1024 },
  ],
  [
    { cpu: '.25 vCPU', memory: '0.5 GB' },
    { cpu: 256, memory: 512 },
  ],
  [
    {
      containerDefinitions: [
        { cpu: 100, memory: 300 },
        { cpu: 28, memory: 512, memoryReservation: 212 },
      ],
    },
    { cpu: 128, memory: 512 },
  ],
  [{ containerDefinitions: [{}] }, { cpu: 1024, memory: 1024 }],
])('%j reserves %j', (definition, reserved) => {
  expect(reservedBy(definition)).toEqual(reserved);
});
