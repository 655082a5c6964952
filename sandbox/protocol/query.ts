import { AwsError } from './service.ts';
import { membersOf, partOf, shapeOf } from './model.ts';
import type { ServiceModel, Shape } from './model.ts';

/** Form fields as a tree: `A.member.1.B=x` is A > member > 1 > B. */
interface Node {
  value?: string;
  readonly children: Map<string, Node>;
}

/**
 * Reads the Query protocol's form fields into an operation's input.
 * @throws AwsError MalformedInput when a value isn't of the model's type
 */
export function decodeQuery(model: ServiceModel, shapeName: string, fields: URLSearchParams): unknown {
  const root: Node = { children: new Map() };
  for (const [name, value] of fields) insert(root, name.split('.'), value);
  return read(model, shapeName, root, '') ?? {};
}

function insert(root: Node, path: readonly string[], value: string): void {
  let node = root;
  for (const step of path) {
    const child = node.children.get(step) ?? { children: new Map<string, Node>() };
    node.children.set(step, child);
    node = child;
  }
  node.value = value;
}

function read(model: ServiceModel, shapeName: string, node: Node, path: string): unknown {
  const shape = shapeOf(model, shapeName);
  switch (shape.type) {
    case 'structure':
      return readStructure(model, shape, node, path);
    case 'list':
      return readList(model, shape, node, path);
    case 'map':
      return readMap(model, shape, node, path);
    default:
      return node.value === undefined ? undefined : readScalar(shape, node.value, path);
  }
}

function readStructure(model: ServiceModel, shape: Shape, node: Node, path: string): unknown {
  const result: Record<string, unknown> = {};
  for (const [name, ref] of membersOf(shape)) {
    const child = node.children.get(name);
    const value = child && read(model, ref.shape, child, path === '' ? name : `${path}.${name}`);
    if (value !== undefined) result[name] = value;
  }
  return result;
}

/** `member.N`; an empty list is sent as the bare name with an empty value. */
function readList(model: ServiceModel, shape: Shape, node: Node, path: string): unknown[] {
  return numbered(node.children.get('member')).map(([i, child]) =>
    read(model, partOf(shape, 'member').shape, child, `${path}.member.${i}`),
  );
}

function readMap(model: ServiceModel, shape: Shape, node: Node, path: string): Record<string, unknown> {
  return Object.fromEntries(
    numbered(node.children.get('entry')).map(([i, child]) => [
      child.children.get('key')?.value ?? '',
      read(model, partOf(shape, 'value').shape, child.children.get('value') ?? child, `${path}.entry.${i}`),
    ]),
  );
}

function numbered(node: Node | undefined): [number, Node][] {
  return [...(node?.children ?? [])]
    .map(([index, child]): [number, Node] => [Number(index), child])
    .sort(([a], [b]) => a - b);
}

function readScalar(shape: Shape, text: string, path: string): unknown {
  switch (shape.type) {
    case 'integer':
    case 'long':
      if (!/^-?\d+$/.test(text)) throw malformed(text, 'an integer', path);
      return Number(text);
    case 'float':
    case 'double':
      if (text.trim() === '' || Number.isNaN(Number(text))) throw malformed(text, 'a number', path);
      return Number(text);
    case 'boolean':
      if (!/^(true|false)$/i.test(text)) throw malformed(text, 'a boolean', path);
      return text.toLowerCase() === 'true';
    case 'timestamp': {
      const date = new Date(/^-?\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : text);
      if (Number.isNaN(date.getTime())) throw malformed(text, 'a timestamp', path);
      return date;
    }
    case 'blob':
      return Buffer.from(text, 'base64');
    default:
      return text;
  }
}

function malformed(text: string, wanted: string, path: string): AwsError {
  return new AwsError(
    'MalformedInput',
    `Value (${text}) for parameter ${path} is invalid. Expected ${wanted}.`,
  );
}
