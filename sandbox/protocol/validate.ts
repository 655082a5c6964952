import { AwsError } from './service.ts';
import { membersOf, partOf, shapeOf } from './model.ts';
import type { ServiceModel, Shape } from './model.ts';

interface Violation {
  readonly path: string;
  readonly value: unknown;
  readonly constraint: string;
}

/** The code that each service gives to an input that its model forbids. */
const CODES: Readonly<Record<string, string>> = {
  ecs: 'InvalidParameterException',
  ecr: 'InvalidParameterException',
  elbv2: 'ValidationError',
  sts: 'ValidationError',
  cloudwatch: 'ValidationError',
};

/** ECS checks lengths and names by its own rules and texts; its model's enumerations are enforced. */
const OWN_LIMITS = new Set(['ecs']);

/**
 * Checks an input against the model: required members, enumerations, lengths, ranges, patterns.
 * @throws AwsError in the words of AWS's own validation, with all violations
 */
export function validate(model: ServiceModel, shapeName: string, input: unknown): void {
  const violations = [...violationsOf(model, shapeName, input, '')];
  if (violations.length === 0) return;
  const listed = violations.map(({ path, value, constraint }) => {
    const found = value === undefined ? 'Value null' : `Value '${describe(value)}'`;
    return `${found} at '${path}' failed to satisfy constraint: ${constraint}`;
  });
  const errors = violations.length === 1 ? 'error' : 'errors';
  throw new AwsError(
    CODES[model.name] ?? 'ValidationException',
    `${violations.length} validation ${errors} detected: ${listed.join('; ')}`,
  );
}

function* violationsOf(
  model: ServiceModel,
  name: string,
  value: unknown,
  path: string,
): Generator<Violation> {
  const shape = shapeOf(model, name);
  switch (shape.type) {
    case 'structure':
      for (const [member, ref] of membersOf(shape)) {
        const field = (value as Record<string, unknown>)[member];
        const at = path === '' ? lowerFirst(member) : `${path}.${lowerFirst(member)}`;
        if (field !== undefined) yield* violationsOf(model, ref.shape, field, at);
        else if (shape.required?.includes(member))
          yield { path: at, value: undefined, constraint: 'Member must not be null' };
      }
      break;
    case 'list': {
      const items = value as unknown[];
      yield* lengthViolations(model, shape, items.length, value, path);
      for (const [i, item] of items.entries()) {
        yield* violationsOf(model, partOf(shape, 'member').shape, item, `${path}.${i + 1}.member`);
      }
      break;
    }
    case 'map':
      yield* lengthViolations(model, shape, Object.keys(value as object).length, value, path);
      for (const [key, item] of Object.entries(value as object)) {
        yield* violationsOf(model, partOf(shape, 'key').shape, key, `${path}.key`);
        yield* violationsOf(model, partOf(shape, 'value').shape, item, `${path}.${key}.member`);
      }
      break;
    case 'string':
      yield* stringViolations(model, shape, value as string, path);
      break;
    case 'integer':
    case 'long':
    case 'float':
    case 'double':
      yield* rangeViolations(shape, value as number, path);
      break;
    case 'blob':
      yield* lengthViolations(model, shape, (value as Uint8Array).length, value, path);
      break;
    case 'boolean':
    case 'timestamp':
      break;
  }
}

function* stringViolations(
  model: ServiceModel,
  shape: Shape,
  value: string,
  path: string,
): Generator<Violation> {
  if (shape.enum && !shape.enum.includes(value)) {
    yield { path, value, constraint: `Member must satisfy enum value set: [${shape.enum.join(', ')}]` };
  }
  yield* lengthViolations(model, shape, value.length, value, path);
  const pattern = shape.pattern === undefined ? undefined : compile(shape.pattern);
  if (pattern && !pattern.test(value) && !OWN_LIMITS.has(model.name)) {
    yield { path, value, constraint: `Member must satisfy regular expression pattern: ${shape.pattern}` };
  }
}

function* lengthViolations(
  model: ServiceModel,
  shape: Shape,
  length: number,
  value: unknown,
  path: string,
): Generator<Violation> {
  if (OWN_LIMITS.has(model.name)) return;
  if (shape.min !== undefined && length < shape.min) {
    yield { path, value, constraint: `Member must have length greater than or equal to ${shape.min}` };
  }
  if (shape.max !== undefined && length > shape.max) {
    yield { path, value, constraint: `Member must have length less than or equal to ${shape.max}` };
  }
}

function* rangeViolations(shape: Shape, value: number, path: string): Generator<Violation> {
  if (shape.min !== undefined && value < shape.min) {
    yield { path, value, constraint: `Member must have value greater than or equal to ${shape.min}` };
  }
  if (shape.max !== undefined && value > shape.max) {
    yield { path, value, constraint: `Member must have value less than or equal to ${shape.max}` };
  }
}

const patterns = new Map<string, RegExp | undefined>();

/** AWS's patterns are Java's and match whole values; one that JavaScript can't read is not enforced. */
function compile(pattern: string): RegExp | undefined {
  if (!patterns.has(pattern)) {
    let compiled: RegExp | undefined;
    try {
      compiled = new RegExp(`^(?:${pattern})$`, 'u');
    } catch {
      compiled = undefined;
    }
    patterns.set(pattern, compiled);
  }
  return patterns.get(pattern);
}

function describe(value: unknown): string {
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function lowerFirst(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}
