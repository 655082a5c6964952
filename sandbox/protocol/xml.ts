import { isPresent, toDate } from './encode.ts';
import { membersOf, partOf, shapeOf } from './model.ts';
import type { ServiceModel } from './model.ts';

/** Writes a value as the Query protocol's XML, inside an element of that name. */
function encodeXml(model: ServiceModel, shapeName: string, value: unknown, element: string): string {
  return `<${element}>${content(model, shapeName, value)}</${element}>`;
}

/** What stands inside the element: members, list items, map entries or text. */
export function content(model: ServiceModel, shapeName: string, value: unknown): string {
  const shape = shapeOf(model, shapeName);
  switch (shape.type) {
    case 'structure': {
      const fields = value as Record<string, unknown>;
      return membersOf(shape)
        .filter(([name]) => isPresent(fields[name]))
        .map(([name, ref]) => encodeXml(model, ref.shape, fields[name], name))
        .join('');
    }
    case 'list':
      return (value as unknown[])
        .map((item) => encodeXml(model, partOf(shape, 'member').shape, item, 'member'))
        .join('');
    case 'map':
      return Object.entries(value as object)
        .map(([key, item]) => {
          const inner = encodeXml(model, partOf(shape, 'value').shape, item, 'value');
          return `<entry><key>${escapeXml(key)}</key>${inner}</entry>`;
        })
        .join('');
    case 'timestamp':
      return toDate(value).toISOString();
    case 'blob':
      return Buffer.from(value as Uint8Array).toString('base64');
    default:
      return escapeXml(String(value));
  }
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\r': '&#xD;',
};

export function escapeXml(text: string): string {
  return text.replace(/[&<>"\r]/g, (character) => ENTITIES[character] ?? character);
}
