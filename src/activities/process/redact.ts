/** Shorter values would blot out ordinary words. */
const SHORTEST_SECRET = 4;
/** The same for what is only a part of a secret: a line of a key, a member of a JSON object. */
const SHORTEST_PART = 8;
/** Characters of a Base64 text below which it may be a word by chance. */
const SHORTEST_BASE64 = 6;

// eslint-disable-next-line no-control-regex
const ESCAPE_SEQUENCES = /\u001B(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001B]*(?:\u0007|\u001B\\)?|[@-Z\\^_])/g;
// eslint-disable-next-line no-control-regex
const CONTROLS = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u200E\u200F\u202A-\u202E\u2066-\u2069]/g;

/** `text` without colours and other control sequences, of which lines and tabs stay, and without reversed writing. */
export function plain(text: string): string {
  return text.replaceAll(/\r\n?/g, '\n').replaceAll(ESCAPE_SEQUENCES, '').replaceAll(CONTROLS, '');
}

/**
 * `text` without control sequences, and with every one of `secrets` masked: as it is, with characters escaped as URLs
 * and JSON have them, in Base64, alone or within a longer text, and broken into lines; of a secret of several lines
 * each line by itself, of a JSON object each text in it.
 */
export function redact(text: string, secrets: Secrets): string {
  return masksOf(secrets).reduce<string>((masked, mask) => masked.replaceAll(mask, '***'), plain(text));
}

type Secrets = readonly string[] | ReadonlySet<string>;
type Mask = string | RegExp;

/** A plan may tell thousands of secrets, and each heartbeat is redacted. A collection of secrets only ever grows. */
const known = new WeakMap<Secrets, { readonly count: number; readonly masks: readonly Mask[] }>();

function masksOf(secrets: Secrets): readonly Mask[] {
  const count = Array.isArray(secrets) ? secrets.length : (secrets as ReadonlySet<string>).size;
  const found = known.get(secrets);
  if (found?.count === count) return found.masks;
  const masks = makeMasks([...secrets]);
  known.set(secrets, { count, masks });
  return masks;
}

/** Longest first: a secret may be a part of another. */
function makeMasks(secrets: readonly string[]): Mask[] {
  const whole = secrets.filter(({ length }) => length >= SHORTEST_SECRET);
  const parts = whole.flatMap(partsOf).filter(({ length }) => length >= SHORTEST_PART);
  const texts = [...new Set([...whole, ...parts])].toSorted((a, b) => b.length - a.length);
  return texts.flatMap((secret) => [literal(secret), ...base64Forms(secret)]);
}

function partsOf(secret: string): string[] {
  const lines = secret.includes('\n') ? secret.split('\n').map((line) => line.trim()) : [];
  return [...lines, ...textsIn(parse(secret))];
}

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

function parse(text: string): unknown {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A plain search where no character is ever escaped: it is many times as fast. */
function literal(secret: string): Mask {
  if (/^[\w.-]*$/.test(secret)) return secret;
  return new RegExp(Array.from(secret.trim(), forms).join(''), 'gu');
}

/** A character as itself, and as URLs and JSON escape it. Terraform breaks long lines where there is a blank. */
function forms(character: string): string {
  if (/[\w.-]/.test(character)) return character;
  const percent = percentEncoded(character);
  if (/\s/.test(character)) return String.raw`(?:\s+|\\+[nrt]|\+|${percent})`;
  const itself = character.replace(/[\\^$.*+?()[\]{}|/]/, String.raw`\$&`);
  const code = character.codePointAt(0) ?? 0;
  const unicode = String.raw`\\+u${hexadecimal(code, 4)}`;
  return String.raw`(?:\\*${itself}|${percent}|${unicode})`;
}

function percentEncoded(character: string): string {
  return [...Buffer.from(character)].map((byte) => `%${hexadecimal(byte, 2)}`).join('');
}

function hexadecimal(value: number, digits: number): string {
  const either = (digit: string) => (/\d/.test(digit) ? digit : `[${digit}${digit.toUpperCase()}]`);
  return Array.from(value.toString(16).padStart(digits, '0'), either).join('');
}

/**
 * What Base64 makes of the secret at each of the three places where it may begin within a longer text (`user:password`):
 * the digits that hang on nothing but the secret.
 */
function base64Forms(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const found = [0, 1, 2].map((before) => {
    const digits = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
    return digits.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
  });
  const long = found.filter(({ length }) => length >= SHORTEST_BASE64);
  return [...new Set(long.flatMap((text) => [text, text.replaceAll('+', '-').replaceAll('/', '_')]))];
}
