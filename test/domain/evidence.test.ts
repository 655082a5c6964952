import { describe, expect, test } from '@jest/globals';
import { describeChange, evidenceDigest, type Evidence } from '../../src/domain/evidence.ts';

const DIGEST = (digit: string) => `sha256:${digit.repeat(64)}`;

function anEvidence(changes: Partial<Evidence> = {}): Evidence {
  return {
    manifest: { version: '1.4.0', commit: 'a'.repeat(40), images: { web: DIGEST('1') } },
    environment: 'production',
    changeSet: {
      changes: [],
      origin: { directory: 'terraform', backend: 's3', workspace: 'default', location: DIGEST('8') },
      digest: DIGEST('2'),
      counts: { create: 0, update: 0, replace: 0, delete: 0 },
    },
    settings: [{ key: 'MODEL', parameter: '/p/MODEL', value: DIGEST('3') }],
    references: [{ kind: 'secret', name: 'api-key', version: 'v1' }],
    services: [
      {
        service: 'web',
        rollout: 'rolling',
        image: DIGEST('1'),
        taskDefinition: DIGEST('4'),
        current: 'arn:web:7',
      },
    ],
    policyDigest: DIGEST('5'),
    running: { version: '1.3.0', commit: 'b'.repeat(40) },
    ...changes,
  };
}

const CHANGED = { address: 'aws_a.b', actions: ['update'], attributes: ['tags'], hash: DIGEST('6') };
const A_CHANGE_SET = anEvidence().changeSet!;
const DRIFT = {
  resources: [{ address: 'aws_a.b', kind: 'changed', attributes: ['tags.owner', 'ttl'] }],
  omitted: 0,
} as const;

/** Every way in which what is approved can become another, and how it is told. */
const CHANGES: readonly [string, Partial<Evidence>, string][] = [
  [
    'an image',
    { manifest: { ...anEvidence().manifest, images: { web: DIGEST('9') } } },
    'image of web: sha256:111111111111 -> sha256:999999999999',
  ],
  [
    'the commit',
    { manifest: { ...anEvidence().manifest, commit: 'c'.repeat(40) } },
    'the commit: aaaaaaaaaaaa -> cccccccccccc',
  ],
  [
    'the change set',
    { changeSet: { ...anEvidence().changeSet!, digest: DIGEST('9') } },
    'the Terraform change set',
  ],
  [
    'what is planned of a resource',
    { changeSet: { ...A_CHANGE_SET, digest: DIGEST('9'), changes: [CHANGED] } },
    'the Terraform change set: aws_a.b (nothing -> update)',
  ],
  ['drift', { drift: DRIFT }, 'drift of aws_a.b: none -> changed: tags.owner, ttl'],
  [
    'drift beyond what is listed',
    { drift: { resources: [], omitted: 3 } },
    'resources with drift beyond those: 0 -> 3',
  ],
  [
    'a setting',
    { settings: [{ key: 'MODEL', parameter: '/p/MODEL', value: DIGEST('9') }] },
    'setting MODEL: sha256:333333333333 -> sha256:999999999999',
  ],
  ['a setting that goes', { settings: [] }, 'setting MODEL: sha256:333333333333 -> none'],
  [
    'the name of a parameter',
    { settings: [{ key: 'MODEL', parameter: '/q/MODEL', value: DIGEST('3') }] },
    'parameter of setting MODEL: /p/MODEL -> /q/MODEL',
  ],
  [
    'the version of a secret',
    { references: [{ kind: 'secret', name: 'api-key', version: 'v2' }] },
    'version of secret api-key: v1 -> v2',
  ],
  [
    'a task definition',
    { services: [{ ...anEvidence().services[0]!, taskDefinition: DIGEST('9') }] },
    'task definition of web: sha256:444444444444 -> sha256:999999999999',
  ],
  [
    'what runs now',
    { services: [{ ...anEvidence().services[0]!, current: 'arn:web:8' }] },
    'what now runs as web: arn:web:7 -> arn:web:8',
  ],
  ['the policy', { policyDigest: DIGEST('9') }, 'the policy'],
  [
    'the running release',
    { running: { version: '1.3.1', commit: 'b'.repeat(40) } },
    'the running release: 1.3.0 (bbbbbbbbbbbb) -> 1.3.1 (bbbbbbbbbbbb)',
  ],
  [
    "the running release's commit",
    { running: { version: '1.3.0', commit: 'd'.repeat(40) } },
    'the running release: 1.3.0 (bbbbbbbbbbbb) -> 1.3.0 (dddddddddddd)',
  ],
];

test('the digest is the same for the same evidence, whatever the order of its keys', () => {
  const evidence = anEvidence();
  const shuffled = Object.fromEntries(Object.entries(evidence).toReversed()) as unknown as Evidence;
  expect(evidenceDigest(shuffled)).toBe(evidenceDigest(evidence));
  expect(evidenceDigest(JSON.parse(JSON.stringify(evidence)) as Evidence)).toBe(evidenceDigest(evidence));
});

test('the digest is what it was: approvals given to an earlier worker still hold', () => {
  expect(evidenceDigest(anEvidence())).toBe(
    'sha256:09b0fbded01d30e13cc0f799c0eb6923739973a63a69bb9eb7bda247a6b413ac',
  );
});

describe('a change of', () => {
  test.each(CHANGES)('%s makes another digest, and is told', (_what, change, line) => {
    const before = anEvidence();
    const after = anEvidence(change);
    expect(evidenceDigest(after)).not.toBe(evidenceDigest(before));
    expect(describeChange(before, after)).toEqual([line]);
  });
});

test('no change is told where there is none', () => {
  expect(describeChange(anEvidence(), anEvidence())).toEqual([]);
});

test('a first deployment that is none any more is told', () => {
  const { running: _running, ...first } = anEvidence({
    services: [{ service: 'web', rollout: 'rolling', image: DIGEST('1'), taskDefinition: DIGEST('4') }],
  });
  expect(describeChange(first, anEvidence())).toEqual([
    'what now runs as web: nothing -> arn:web:7',
    'the running release: none -> 1.3.0 (bbbbbbbbbbbb)',
  ]);
});

test('a change set that changed is told by its first resources, and how many there are more', () => {
  const others = [1, 2, 3, 4, 5, 6].map((n) => ({
    ...CHANGED,
    address: `aws_a.c[${n}]`,
    actions: ['create'],
  }));
  const before = anEvidence({ changeSet: { ...A_CHANGE_SET, changes: [CHANGED] } });
  const changes = [{ ...CHANGED, hash: DIGEST('7') }, ...others];
  const after = anEvidence({ changeSet: { ...A_CHANGE_SET, digest: DIGEST('9'), changes } });
  expect(describeChange(before, after)).toEqual([
    'the Terraform change set: aws_a.b (update with other values), aws_a.c[1] (nothing -> create), ' +
      'aws_a.c[2] (nothing -> create), aws_a.c[3] (nothing -> create), aws_a.c[4] (nothing -> create), and 2 more',
  ]);
});
