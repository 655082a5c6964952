/**
 * Whether a call's input, or a part of it, is what a rule asks for: of an object the members that it names, of a list
 * the items that it names. A name also means the ARN that ends in it, since clients may send either.
 */
export function matches(wanted: unknown, found: unknown): boolean {
  if (Array.isArray(wanted)) {
    return Array.isArray(found) && wanted.every((item) => found.some((each) => matches(item, each)));
  }
  if (isObject(wanted)) {
    return isObject(found) && Object.entries(wanted).every(([name, part]) => matches(part, found[name]));
  }
  if (typeof wanted === 'string' && typeof found === 'string') return isNamed(found, wanted);
  return wanted === found;
}

/** Whether `name` is the ARN or name itself, or the last part of that ARN. */
export function isNamed(nameOrArn: string, name: string): boolean {
  return nameOrArn === name || (nameOrArn.startsWith('arn:') && nameOrArn.endsWith(`/${name}`));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
