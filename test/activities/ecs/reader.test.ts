import { expect, test } from '@jest/globals';
import { createEcsReader } from '../../../src/activities/ecs/reader.ts';
import { aCloud } from '../canary/aCloud.ts';
import { aTarget } from './aRollout.ts';

test.each([
  [3 * 14.3, 42.9],
  [0.1 + 0.2, 0.3],
  [100, 100],
])("a traffic weight of %d, which ECS's sums may give, is %d", async (told, weight) => {
  const arn = 'arn:aws:ecs:x:y:service-deployment/web/1';
  const targetServiceRevision = { arn: 'revision/2', requestedProductionTrafficWeight: told };
  const deployments = [{ serviceDeploymentArn: arn, targetServiceRevision }];
  const { aws } = aCloud({ deployments, revisions: [], stopped: [], metrics: {} });
  expect(await createEcsReader(aws, 1).deployment(aTarget(), arn)).toMatchObject({ weight });
});
