import { z } from 'zod';
import { DEFAULTS_DESCRIPTION, environmentSchema, platformSchema } from '../../src/platform/schema.ts';

/** What the reference reads of a JSON Schema. */
export interface JsonSchema {
  readonly type?: string;
  readonly title?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly propertyNames?: JsonSchema;
  readonly additionalProperties?: JsonSchema | false;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
}

/** @returns the JSON Schema (draft 2020-12) of `slipway.yaml` as people write it */
export function platformJsonSchema(): JsonSchema {
  const { properties, ...rest } = jsonSchema(platformSchema);
  const { environments, ...before } = properties ?? {};
  const defaults = { ...withoutRequired(jsonSchema(environmentSchema)), description: DEFAULTS_DESCRIPTION };
  const file = {
    ...rest,
    properties: { ...before, defaults, ...(environments && { environments: environmentsOf(environments) }) },
  };
  return { ...file, title: 'slipway.yaml' };
}

/** @returns the JSON Schema of what `schema` reads, not of what it makes of it */
export function jsonSchema(schema: z.ZodType): JsonSchema {
  // zod's type has unions and extension keys that none of ours needs.
  const made: unknown = JSON.parse(JSON.stringify(z.toJSONSchema(schema, { io: 'input' })));
  return isJsonSchema(made) ? made : {};
}

function isJsonSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null;
}

/** `defaults` may bring what an environment has to have, so an editor can't ask each environment for it. */
function environmentsOf(environments: JsonSchema): JsonSchema {
  const environment = environments.additionalProperties;
  return { ...environments, ...(environment && { additionalProperties: withoutRequired(environment) }) };
}

function withoutRequired({ required: _required, properties, ...schema }: JsonSchema): JsonSchema {
  if (!properties) return schema;
  const fields = Object.entries(properties).map(([name, field]) => [name, withoutRequired(field)] as const);
  return { ...schema, properties: Object.fromEntries(fields) };
}
