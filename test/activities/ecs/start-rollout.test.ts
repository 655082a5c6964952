import { expect, test } from '@jest/globals';
import type { ServiceDeployment } from '@aws-sdk/client-ecs';
import { createEcsReader } from '../../../src/activities/ecs/reader.ts';
import { startRollout } from '../../../src/activities/ecs/start-rollout.ts';
import type { RolloutKind } from '../../../src/domain/evidence.ts';
import { aCloud } from '../canary/aCloud.ts';
import { aCanary, aLock, anActivity, aPolicy, aService, aTarget, inside } from './aRollout.ts';

const ARN = 'arn:aws:ecs:x:y:service-deployment/web/1';
const REVISIONS = [{ serviceRevisionArn: 'revision/2', taskDefinition: 'web:2' }];

/** Begins to roll out `web:2`, which a deployment that began an hour ago already does. @returns what it went on with */
async function startBeside(
  underway: Partial<ServiceDeployment>,
  by: RolloutKind,
): Promise<{ arn: string | undefined; written: boolean }> {
  const deployment = {
    serviceDeploymentArn: ARN,
    createdAt: new Date(Date.now() - 3_600_000),
    targetServiceRevision: { arn: 'revision/2' },
    ...underway,
  };
  const { aws, asked } = aCloud({
    deployments: [deployment],
    revisions: REVISIONS,
    stopped: [],
    metrics: {},
  });
  const deps = {
    aws,
    reader: createEcsReader(aws, 1),
    pollMilliseconds: 1,
    assertHolder: async () => undefined,
  };
  const input = {
    target: aTarget(),
    service: aService('web'),
    taskDefinition: 'web:2',
    rollout: aPolicy({ canary: aCanary({ steps: [10, 100] }) }),
    by,
    lock: aLock,
  };
  const { serviceDeploymentArn: arn } = await inside(anActivity(), () => startRollout(deps, input));
  return { arn, written: asked.some(({ command }) => command === 'UpdateServiceCommand') };
}

test.each<[Partial<ServiceDeployment>, RolloutKind]>([
  [{ status: 'IN_PROGRESS' }, 'rolling'],
  [{ status: 'PENDING', deploymentConfiguration: { strategy: 'ROLLING' } }, 'rolling'],
  [{ status: 'IN_PROGRESS', deploymentConfiguration: { strategy: 'CANARY' } }, 'canary'],
])(
  'a deployment of the release that goes the way that was asked for is gone on with: %j',
  async (underway, by) => {
    expect(await startBeside(underway, by)).toEqual({ arn: ARN, written: false });
  },
);

test.each<[Partial<ServiceDeployment>, RolloutKind, string]>([
  [{ status: 'ROLLBACK_IN_PROGRESS' }, 'rolling', 'ROLLBACK_IN_PROGRESS, ROLLING'],
  [
    { status: 'ROLLBACK_REQUESTED', deploymentConfiguration: { strategy: 'CANARY' } },
    'canary',
    'ROLLBACK_REQUESTED, CANARY',
  ],
  [{ status: 'STOP_REQUESTED' }, 'rolling', 'STOP_REQUESTED, ROLLING'],
  [{ status: 'IN_PROGRESS' }, 'canary', 'IN_PROGRESS, ROLLING'],
  [
    { status: 'IN_PROGRESS', deploymentConfiguration: { strategy: 'LINEAR' } },
    'canary',
    'IN_PROGRESS, LINEAR',
  ],
  [
    { status: 'IN_PROGRESS', deploymentConfiguration: { strategy: 'CANARY' } },
    'rolling',
    'IN_PROGRESS, CANARY',
  ],
])(
  'a deployment of the release that goes back or another way is waited for: %j by %s',
  async (underway, by, told) => {
    await expect(startBeside(underway, by)).rejects.toMatchObject({
      type: 'DeploymentInProgress',
      nonRetryable: false,
      message: expect.stringContaining(`${ARN} of web:2 (${told})`),
    });
  },
);
