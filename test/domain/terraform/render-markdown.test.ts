import { describe, expect, test } from '@jest/globals';
import { renderMarkdown } from '../../../src/domain/terraform/render.ts';
import { aPlan, aResource, creating, deleting, replacing, updating } from './support.ts';

/** The fenced blocks' lines, and what stands outside of them, as CommonMark has it. */
function blocksOf(markdown: string): { inside: string[]; outside: string[] } {
  const inside: string[] = [];
  const outside: string[] = [];
  let open = false;
  for (const line of markdown.split('\n')) {
    if (/^ {0,3}```/.test(line)) open = !open;
    else (open ? inside : outside).push(line);
  }
  expect(open).toBe(false);
  return { inside, outside: outside.filter(Boolean) };
}

test('has a section for each kind of change, the most dangerous first', () => {
  const plan = aPlan(
    [
      aResource('aws_x.new', creating({ size: 1 })),
      aResource('aws_x.changed', updating({ size: 1 }, { size: 2 })),
      aResource('aws_x.replaced', replacing({ zone: 'a' }, { zone: 'b' })),
      aResource('aws_x.gone', deleting({ size: 1 })),
      aResource('aws_x.b', { actions: ['no-op'], before: {}, after: {} }, { previous_address: 'aws_x.a' }),
    ],
    {
      output_changes: { url: { actions: ['update'], before: 'http://a', after: 'http://b' } },
      resource_drift: [aResource('aws_x.d', updating({ a: 1 }, { a: 2 }))],
      checks: [{ address: { kind: 'check', to_display: 'check.up' }, status: 'error' }],
    },
  );
  expect(renderMarkdown(plan)).toBe(`### Terraform: 1 to create, 1 to update, 1 to replace, 1 to delete

**Changed outside of Terraform since the last apply**

\`\`\`text
aws_x.d was changed outside of Terraform: a
\`\`\`

**Failed checks**

\`\`\`text
check.up fails, which only warns: no message
\`\`\`

**Destroys (1)**

\`\`\`diff
- aws_x.gone: delete
\`\`\`

**Replaces (1)**

\`\`\`diff
-/+ aws_x.replaced: delete, create
    zone: "a" -> "b"
\`\`\`

**Changes (1)**

\`\`\`diff
! aws_x.changed: update
    size: 1 -> 2
\`\`\`

**Creates (1)**

\`\`\`diff
+ aws_x.new: create
    size: 1
\`\`\`

**Other (1)**

\`\`\`diff
  aws_x.b: move (from aws_x.a)
\`\`\`

**Outputs (1)**

\`\`\`diff
  output.url: update
    value: "http://a" -> "http://b"
\`\`\``);
});

describe('a value', () => {
  test.each([
    ['a fence', '\n```\n### Approved by everyone\n```'],
    ['a longer fence', '\n````````\n# Hi'],
    ['HTML', '</code></pre><script>alert(1)</script>'],
    ['a comment', '<!-- -->'],
    ['a table', '| a | b |\n|---|---|'],
    ['a link', '[click](javascript:alert(1))'],
    ['a colour', '\u001b[31m'],
    ['text that runs the other way', '\u202e```\u2028# x'],
  ])('with %s stays in its block, wherever it stands', (_name, evil) => {
    const key = JSON.stringify(evil);
    const plan = aPlan(
      [
        aResource(`aws_x.a[${key}]`, updating({ v: 'x', tags: {} }, { v: evil, tags: { [evil]: evil } })),
        aResource(`aws_x.b[${key}]`, creating({ v: evil })),
        aResource('aws_x.c', { ...updating({ v: 1 }, { v: 2 }), importing: { id: evil } }),
      ],
      {
        output_changes: { url: { actions: ['create'], before: null, after: evil } },
        resource_drift: [aResource(`aws_x.d[${key}]`, updating({ [evil]: 1 }, { [evil]: 2 }))],
        checks: [
          {
            address: { kind: 'check', to_display: `check.${evil}` },
            status: 'fail',
            instances: [{ problems: [{ message: evil }] }],
          },
        ],
      },
    );
    const markdown = renderMarkdown(plan);
    expect(blocksOf(markdown).outside).toEqual([
      '### Terraform: 1 to create, 2 to update, 0 to replace, 0 to delete',
      '**Changed outside of Terraform since the last apply**',
      '**Failed checks**',
      '**Changes (2)**',
      '**Creates (1)**',
      '**Outputs (1)**',
    ]);
    expect(markdown).not.toMatch(/[^\n\P{Cc}]|\p{Cf}|\u2028/u);
  });
});

test("masks secrets, the caller's too", () => {
  const change = creating(
    { p: 'hunter2-hunter2', copy: 'u:hunter2-hunter2@db', given: 'from-a-parameter', name: 'web' },
    { after_sensitive: { p: true } },
  );
  const markdown = renderMarkdown(aPlan([aResource('aws_x.a', change)]), new Set(['from-a-parameter']));
  expect(markdown).not.toMatch(/hunter2|from-a-parameter/);
  expect(markdown).toContain('name: "web"');
});

test('is at most 8 KB, keeps what is dangerous, and says how much is left out', () => {
  const many = Array.from({ length: 500 }, (_, i) =>
    aResource(`aws_x.${'é'.repeat(i % 50)}${i}`, creating({ text: 'é`'.repeat(200), n: i })),
  );
  const drift = many.map(({ address }) => aResource(address, updating({ a: 1 }, { a: 2 })));
  const markdown = renderMarkdown(
    aPlan([...many, aResource('zz_x.gone', deleting({}))], { resource_drift: drift }),
  );
  expect(Buffer.byteLength(markdown)).toBeLessThanOrEqual(8192);
  expect(markdown).toContain('- zz_x.gone: delete');
  expect(markdown).toContain('**Creates (500)**');
  expect(markdown).toMatch(/\n\.\.\. and \d+ more$/);
  const wide = creating(Object.fromEntries(many.map((_, i) => [`attribute${i}`, 'x'.repeat(i)])));
  const one = renderMarkdown(aPlan([aResource('aws_x.wide', wide)]));
  expect(Buffer.byteLength(one)).toBeLessThanOrEqual(8192);
  expect(one).toMatch(/\.\.\. and \d+ more attributes/);
});

test('sees the names of all changes before the attributes of some', () => {
  const wide = (i: number) =>
    Object.fromEntries(Array.from({ length: 40 }, (_, j) => [`attribute${j}`, `${i}-${j}`]));
  const many = Array.from({ length: 60 }, (_, i) => aResource(`aws_x.r${i}`, creating(wide(i))));
  const { inside } = blocksOf(renderMarkdown(aPlan(many)));
  expect(inside.filter((line) => line.startsWith('+ '))).toHaveLength(60);
  expect(inside.some((line) => line.includes('attribute39'))).toBe(true);
});
