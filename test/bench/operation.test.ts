import { expect, test } from '@jest/globals';
import { operationOf } from '../../bench/verdict/operation.ts';

test.each([
  [
    'JSON',
    '/',
    { 'x-amz-target': 'AmazonEC2ContainerServiceV20141113.DescribeServices' },
    '{}',
    'DescribeServices',
  ],
  ['RPC v2 CBOR', '/service/GraniteServiceVersion20100801/operation/GetMetricData', {}, '', 'GetMetricData'],
  ['Query', '/', {}, 'Action=DescribeRules&Version=2015-12-01', 'DescribeRules'],
])('the operation of a request in %s is found', (_protocol, path, headers, body, operation) => {
  expect(operationOf(path, headers, body)).toBe(operation);
});
