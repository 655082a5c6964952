import { expect, test } from '@jest/globals';
import { parseImage } from '../../../sandbox/tasks/image-reference.ts';

const digest = `sha256:${'a'.repeat(64)}`;

test.each([
  [`127.0.0.1:4566/team/web@${digest}`, 'team/web', digest],
  [`000000000000.dkr.ecr.eu-west-1.amazonaws.com/web:1.2.0`, 'web', '1.2.0'],
  [`000000000000.dkr.ecr.eu-west-1.amazonaws.com/web:1.2.0@${digest}`, 'web', digest],
  ['localhost/web', 'web', 'latest'],
  ['team/web', 'team/web', 'latest'],
  ['web:2', 'web', '2'],
])('%s is %s at %s', (image, repository, reference) => {
  expect(parseImage(image)).toEqual({ repository, reference });
});
