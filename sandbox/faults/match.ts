/**
 * Whether a call's input, or a part of it, is what a rule asks for: of an object the members that it names, of a list
 * the items that it names. A name also means the ARN that ends in it, since clients may send either; `*` in a text
 * stands for any characters.
 */
export function matches(wanted: unknown, found: unknown): boolean {
  if (Array.isArray(wanted)) {
    return Array.isArray(found) && wanted.every((item) => found.some((each) => matches(item, each)));
  }
  if (isObject(wanted)) {
    return isObject(found) && Object.entries(wanted).every(([name, part]) => matches(part, found[name]));
  }
  if (typeof wanted === 'string' && typeof found === 'string') return textMatches(wanted, found);
  return wanted === found;
}

function textMatches(wanted: string, found: string): boolean {
  const pattern = wanted.replaceAll(/[\\^$.|?+()[\]{}]/g, String.raw`\$&`).replaceAll('*', '.*');
  const arnOfName = found.startsWith('arn:') && new RegExp(`/${pattern}$`, 's').test(found);
  return arnOfName || new RegExp(`^${pattern}$`, 's').test(found);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
