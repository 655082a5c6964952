import type { JsonSchema } from './json-schema.ts';

/** One map of fields: a section of the reference. */
interface Section {
  /** As in the file, such as `environments.<name>.terraform`; empty for the file itself. */
  readonly path: string;
  readonly schema: JsonSchema;
}

/** @returns a table per map of fields, in the schema's order, each under its path as a heading */
export function fieldTables(schema: JsonSchema): string {
  return sections({ path: '', schema })
    .map(
      ({ path, schema: section }) =>
        `## ${path === '' ? 'The file' : `\`${path}\``}\n\n${fieldTable(section, path)}`,
    )
    .join('\n\n');
}

/** @returns a table with a row per field: name, type, default, meaning */
function fieldTable(schema: JsonSchema, path = ''): string {
  const rows = Object.entries(schema.properties ?? {}).map(([name, field]) => [
    `\`${name}\``,
    typeOf(field, join(path, name)),
    defaultOf(field, schema.required?.includes(name) ?? false),
    field.description ?? '',
  ]);
  return table(['Field', 'Type', 'Default', 'Meaning'], rows);
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

export function defaultOf(field: JsonSchema, required: boolean): string {
  if (required) return '**required**';
  const empty =
    field.default === undefined ||
    JSON.stringify(field.default) === '{}' ||
    JSON.stringify(field.default) === '[]';
  return empty
    ? ''
    : `\`${typeof field.default === 'string' ? field.default : JSON.stringify(field.default)}\``;
}

export function typeOf(field: JsonSchema, path = ''): string {
  if (field.enum) return field.enum.map((value) => `\`${value}\``).join(', ');
  if (field.anyOf) return field.anyOf.map((choice) => typeOf(choice, path)).join(' or ');
  if (field.items) return `list: ${typeOf(field.items, path)}`;
  if (field.properties) return `[map](#${anchor(path)})`;
  if (field.additionalProperties)
    return `map by ${field.propertyNames?.enum ? typeOf(field.propertyNames) : 'name'}: ${typeOf(field.additionalProperties, join(path, '<name>'))}`;
  return field.title ?? field.type ?? '';
}

function sections(section: Section): Section[] {
  return [
    section,
    ...Object.entries(section.schema.properties ?? {}).flatMap(([name, field]) => {
      const path = join(section.path, name);
      if (field.properties) return sections({ path, schema: field });
      const item = field.additionalProperties;
      return item && item.properties ? sections({ path: join(path, '<name>'), schema: item }) : [];
    }),
  ];
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

/** As GitHub makes it of the heading. */
function anchor(path: string): string {
  return path.toLowerCase().replaceAll(/[^a-z0-9-]/g, '');
}
