import { readdirSync, readFileSync } from 'node:fs';

/** A reference to a shape, as botocore's models write it. */
export interface ShapeRef {
  readonly shape: string;
}

export interface MemberRef extends ShapeRef {
  readonly idempotencyToken?: boolean;
}

export type ShapeType =
  | 'structure'
  | 'list'
  | 'map'
  | 'string'
  | 'integer'
  | 'long'
  | 'float'
  | 'double'
  | 'boolean'
  | 'timestamp'
  | 'blob';

export interface Shape {
  readonly type: ShapeType;
  readonly members?: Readonly<Record<string, MemberRef>>;
  readonly required?: readonly string[];
  readonly member?: ShapeRef;
  readonly key?: ShapeRef;
  readonly value?: ShapeRef;
  readonly enum?: readonly string[];
  readonly min?: number;
  readonly max?: number;
  readonly pattern?: string;
  readonly exception?: boolean;
  readonly fault?: boolean;
  readonly error?: {
    readonly code?: string;
    readonly httpStatusCode?: number;
    readonly senderFault?: boolean;
  };
}

export interface OperationModel {
  readonly name: string;
  readonly input?: ShapeRef;
  readonly output?: ShapeRef & { readonly resultWrapper?: string };
  readonly errors?: readonly ShapeRef[];
}

export interface Metadata {
  readonly apiVersion: string;
  readonly endpointPrefix: string;
  readonly signingName?: string;
  readonly jsonVersion?: string;
  readonly protocols: readonly ('json' | 'query' | 'smithy-rpc-v2-cbor')[];
  readonly serviceId: string;
  readonly targetPrefix?: string;
  readonly xmlNamespace?: string;
  readonly awsQueryCompatible?: object;
}

/** An AWS service's API model, trimmed by sandbox/model/extract.py. */
export interface ServiceModel {
  readonly name: string;
  readonly metadata: Metadata;
  readonly operations: Readonly<Record<string, OperationModel>>;
  readonly shapes: Readonly<Record<string, Shape>>;
}

const FOLDER = new URL('../model/', import.meta.url);

/** Every model of sandbox/model. */
export function allModels(): ServiceModel[] {
  const files = readdirSync(FOLDER).filter((file) => file.endsWith('.json'));
  return files.map((file) => loadModel(file.slice(0, -'.json'.length)));
}

const loaded = new Map<string, ServiceModel>();

/** Reads sandbox/model/<name>.json, once. */
export function loadModel(name: string): ServiceModel {
  const known = loaded.get(name);
  if (known) return known;
  const text = readFileSync(new URL(`${name}.json`, FOLDER), 'utf8');
  const model: ServiceModel = { name, ...(JSON.parse(text) as Omit<ServiceModel, 'name'>) };
  loaded.set(name, model);
  return model;
}

/** The shape of that name. @throws Error when the model lacks it, which a model from extract.py never does */
export function shapeOf(model: ServiceModel, name: string): Shape {
  const shape = model.shapes[name];
  if (!shape) throw new Error(`The model ${model.name} has no shape ${name}`);
  return shape;
}

/** The shape that a list's, map's or structure's part refers to. */
export function partOf(shape: Shape, part: 'member' | 'key' | 'value'): ShapeRef {
  const ref = shape[part];
  if (!ref) throw new Error(`A ${shape.type} shape without ${part}`);
  return ref;
}

/** A structure's members, as [name, reference]. */
export function membersOf(shape: Shape): [string, MemberRef][] {
  return Object.entries(shape.members ?? {});
}

/** The error shape's code on the wire, its status and whose fault it is. */
export function errorTraits(
  model: ServiceModel,
  code: string,
): { wireCode: string; status: number; sender: boolean } {
  const shape = model.shapes[code];
  const fault = shape?.fault === true || (shape === undefined && /^Internal|^ServiceUnavailable/.test(code));
  const status = shape?.error?.httpStatusCode ?? (fault ? 500 : 400);
  return { wireCode: shape?.error?.code ?? code, status, sender: status < 500 };
}
