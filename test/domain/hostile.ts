/** What a reader must refuse without harm, wherever it stands. */
export const HOSTILE: readonly unknown[] = [
  null,
  undefined,
  true,
  false,
  0,
  -1,
  1e308,
  Number.NaN,
  '',
  '   ',
  '\u0000',
  '\u001b[2J',
  '\ud800',
  'x'.repeat(1_000_000),
  [],
  ['ada'],
  [[]],
  new Array(1000).fill(null),
  {},
  { by: {} },
  { length: 1 },
  JSON.parse('{"__proto__": {"by": "ada", "versionTag": "1.0.0"}}'),
  JSON.parse('{"constructor": {"prototype": {"by": "ada"}}}'),
  Object.create(null),
  { toString: 1, valueOf: 1 },
  new Uint8Array(1000),
  deep(1000),
];

function deep(levels: number): unknown {
  let value: unknown = 'bottom';
  for (let i = 0; i < levels; i++) value = { value };
  return value;
}
