import { sensitiveValues } from './values.ts';
import type { Leaf } from './values.ts';
import type { PlanJson } from './plan.ts';

/** What must not be shown of a plan. */
export interface Secrets {
  /** Whether a leaf is marked sensitive, or holds a value that is marked elsewhere or was known to be a secret before. */
  readonly isSecret: (leaf: Leaf | undefined) => boolean;
  /** The text with every secret in it replaced. */
  readonly mask: (text: string) => string;
  /** The address with secrets in its instance keys replaced; the names come from the configuration and stay. */
  readonly maskAddress: (address: string) => string;
  /** The attribute's path with secrets in its keys replaced; the attribute's own name stays. */
  readonly maskPath: (path: string) => string;
}

const MASK = '(sensitive)';
/** Also the length by which secrets are looked up; shorter ones are not looked for in other text. */
const SHORTEST = 4;

/** @param known secrets that the caller knows of, beside those that the plan marks */
export function secretsOf(plan: PlanJson, known: ReadonlySet<string> = new Set()): Secrets {
  const find = finder(new Set([...sensitiveValues(plan), ...known]));
  const mask = (text: string) => {
    let masked = '';
    let from = 0;
    for (let hit = find(text, 0); hit; hit = find(text, from)) {
      masked += text.slice(from, hit.start) + MASK;
      from = hit.start + hit.length;
    }
    return masked + text.slice(from);
  };
  return {
    isSecret: (leaf) =>
      leaf?.kind === 'known' && (leaf.sensitive || find(String(leaf.value), 0) !== undefined),
    mask,
    maskAddress: (address) => address.replaceAll(/\["(?:[^"\\]|\\.)*"\]/g, mask),
    maskPath: (path) => {
      const [name = ''] = /^[^.[]*/.exec(path) ?? [];
      return name + mask(path.slice(name.length));
    },
  };
}

interface Hit {
  readonly start: number;
  readonly length: number;
}

/** Finds the first secret in a text, the longest there, in about one look-up a character however many secrets there are. */
function finder(secrets: ReadonlySet<string>): (text: string, from: number) => Hit | undefined {
  const lengths = lengthsByBeginning(secrets);
  return (text, from) => {
    if (lengths.size === 0) return undefined;
    for (let start = from; start + SHORTEST <= text.length; start += 1) {
      const length = lengths
        .get(text.slice(start, start + SHORTEST))
        ?.find((candidate) => secrets.has(text.slice(start, start + candidate)));
      if (length !== undefined) return { start, length };
    }
    return undefined;
  };
}

/** How long the secrets are that begin with these characters, the longest first. */
function lengthsByBeginning(secrets: ReadonlySet<string>): Map<string, number[]> {
  const found = new Map<string, Set<number>>();
  for (const secret of secrets) {
    if (secret.length < SHORTEST) continue;
    const beginning = secret.slice(0, SHORTEST);
    const lengths = found.get(beginning) ?? new Set();
    found.set(beginning, lengths.add(secret.length));
  }
  return new Map(
    [...found].map(([beginning, lengths]) => [beginning, [...lengths].toSorted((a, b) => b - a)]),
  );
}
