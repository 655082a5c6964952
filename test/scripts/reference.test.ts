import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { jsonSchema, platformJsonSchema } from '../../scripts/reference/json-schema.ts';
import type { JsonSchema } from '../../scripts/reference/json-schema.ts';
import { referencePages } from '../../scripts/reference/pages.ts';
import { configSchema } from '../../src/config.ts';
import { platformSchema } from '../../src/platform/schema.ts';

const root = join(import.meta.dirname, '..', '..');

describe('the reference', () => {
  test('is as `node scripts/reference.ts` makes it', async () => {
    const pages = await referencePages();
    expect(Object.keys(pages)).toHaveLength(5);
    for (const [path, content] of Object.entries(pages)) {
      expect([path, readFileSync(join(root, path), 'utf8')]).toEqual([path, content]);
    }
  });

  test('tells the meaning of every field', () => {
    expect(undescribed(jsonSchema(platformSchema))).toEqual([]);
    expect(undescribed(jsonSchema(configSchema))).toEqual([]);
  });

  test('links only to sections that there are', async () => {
    const page = (await referencePages())['docs/reference/slipway-yaml.md'] ?? '';
    const sections = [...page.matchAll(/^## `(.+)`$/gm)].map((match) =>
      (match[1] ?? '').toLowerCase().replaceAll(/[^a-z0-9-]/g, ''),
    );
    const links = [...page.matchAll(/\]\(#([^)]+)\)/g)].map((match) => match[1]);
    expect(links.length).toBeGreaterThan(5);
    expect(links.filter((link) => !sections.includes(link ?? ''))).toEqual([]);
  });
});

test("the editors' schema asks no environment for what `defaults` may bring, and allows no unknown field there", () => {
  const { properties } = platformJsonSchema();
  const environment = properties?.['environments']?.additionalProperties;
  expect(environment).toMatchObject({ additionalProperties: false });
  expect(environment).not.toHaveProperty('required');
  expect(properties?.['defaults']).not.toHaveProperty('required');
});

/** Paths of fields without a description. */
function undescribed(schema: JsonSchema, path = ''): string[] {
  const fields = Object.entries(schema.properties ?? {}).flatMap(([name, field]) => [
    ...(field.description === undefined ? [`${path}.${name}`] : []),
    ...undescribed(field, `${path}.${name}`),
  ]);
  return [
    ...fields,
    ...(schema.additionalProperties ? undescribed(schema.additionalProperties, `${path}.*`) : []),
  ];
}
