import { expect, test } from '@jest/globals';
import { differenceOf, readState } from '../../../../src/activities/terraform/state/state-file.ts';

const LINEAGE = '8a5e6a1c-6f1c-4c0e-9a2b-0c1d2e3f4a5b';

interface Resource {
  readonly mode?: string;
  readonly module?: string;
  readonly name?: string;
  readonly instances: readonly object[];
}

function aState(resources: readonly Resource[], fields: object = {}) {
  const complete = resources.map((resource) => ({
    mode: 'managed',
    type: 'aws_sqs_queue',
    name: 'q',
    ...resource,
  }));
  const read = readState(
    JSON.stringify({ version: 4, serial: 7, lineage: LINEAGE, outputs: {}, resources: complete, ...fields }),
  );
  if (read.kind !== 'state') throw new Error(`It is ${JSON.stringify(read)}`);
  return read.state;
}

const addresses = (resources: readonly Resource[]) => [...aState(resources).objects.keys()];

test('objects are known by the addresses that terraform gives them', () => {
  expect(
    addresses([
      { instances: [{ attributes: {} }] },
      { name: 'many', instances: [{ index_key: 0 }, { index_key: 1 }] },
      { name: 'each', instances: [{ index_key: 'a "b"\\ ${c} %{d} $e' }] },
      { module: 'module.m["k"].module.n[1]', instances: [{}] },
      { name: 'old', instances: [{ deposed: '1a2b3c4d' }] },
    ]),
  ).toEqual([
    'aws_sqs_queue.q',
    'aws_sqs_queue.many[0]',
    'aws_sqs_queue.many[1]',
    String.raw`aws_sqs_queue.each["a \"b\"\\ $` + '${c} %%{d} $e"]',
    'module.m["k"].module.n[1].aws_sqs_queue.q',
    'aws_sqs_queue.old (deposed 1a2b3c4d)',
  ]);
});

test('what terraform only reads is no resource of the state', () => {
  expect(addresses([{ mode: 'data', instances: [{ attributes: { arn: 'x' } }] }])).toEqual([]);
});

test('two states differ by what one has, lacks, or records otherwise', () => {
  const older = aState([
    { name: 'a', instances: [{ attributes: { x: 1 } }] },
    { name: 'b', instances: [{}] },
  ]);
  const newer = aState([
    { name: 'c', instances: [{}] },
    { name: 'a', instances: [{ attributes: { x: 2 } }] },
  ]);
  expect(differenceOf(newer, older)).toEqual({
    added: ['aws_sqs_queue.c'],
    changed: ['aws_sqs_queue.a'],
    removed: ['aws_sqs_queue.b'],
  });
  expect(differenceOf(newer, undefined).added).toEqual(['aws_sqs_queue.a', 'aws_sqs_queue.c']);
});

test('the digest is of what is recorded: outputs too, serial and lineage not', () => {
  const resources = [{ instances: [{ attributes: { x: 1 } }] }];
  const { digest } = aState(resources);
  expect(aState(resources, { serial: 8, lineage: 'other', terraform_version: '1.5.7' }).digest).toBe(digest);
  const marked = [{ instances: [{ attributes: { x: 1 }, sensitive_attributes: [], dependencies: ['a.b'] }] }];
  expect(aState(marked).digest).toBe(digest);
  expect(aState(resources, { outputs: { a: { value: 1 } } }).digest).not.toBe(digest);
  expect(aState([{ instances: [{ attributes: { x: 1 }, status: 'tainted' }] }]).digest).not.toBe(digest);
  expect(aState([{ instances: [{ attributes: { x: 2 } }] }]).digest).not.toBe(digest);
});

test('what a backend without a state answers is none, not a state', () => {
  expect(readState('\n')).toEqual({ kind: 'none' });
  const empty = { version: 4, serial: 0, lineage: '', outputs: {}, resources: [], check_results: null };
  expect(readState(JSON.stringify(empty))).toEqual({ kind: 'none' });
});

test.each([
  ['hello', 'is not a Terraform state: it is no JSON object'],
  ['[]', 'is not a Terraform state: it is no JSON object'],
  ['{"resources":[]}', 'is not a Terraform state: it has no format version'],
  ['{"version":3,"serial":1,"lineage":"x","modules":[]}', 'has the format version 3, where 4 is known'],
  ['{"version":5,"serial":1,"lineage":"x","resources":[]}', 'has the format version 5, where 4 is known'],
  ['{"version":4,"lineage":"x","resources":[]}', 'has no serial number'],
  ['{"version":4,"serial":1,"lineage":"","resources":[]}', 'has no lineage'],
  ['{"version":4,"serial":1,"lineage":"x"}', 'has no list of resources'],
  ['{"serial":1,"lineage":"x","encrypted_data":"e30="}', 'is encrypted, so that it cannot be compared'],
])('%s is no state that can be used', (text, reason) => {
  expect(readState(text)).toEqual({ kind: 'unusable', reason });
});
