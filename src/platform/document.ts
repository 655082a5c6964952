import { isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import type { Document } from 'yaml';
import type { PlatformProblem } from './problems.ts';

export type Path = readonly (string | number)[];

interface Place {
  /** From 1. */
  readonly line: number;
  readonly column: number;
}

/** A YAML text as plain values, and where each of them stands. */
export interface YamlDocument {
  readonly value: unknown;
  /** Where `path` stands; where it is missing, its nearest parent. */
  locate(path: Path): Place;
}

/** Reads one YAML document. Syntax errors, keys given twice among them, are problems. */
export function readYaml(
  text: string,
): { readonly document: YamlDocument } | { readonly problems: readonly PlatformProblem[] } {
  const lines = new LineCounter();
  const parsed = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  if (parsed.errors.length > 0) {
    return {
      problems: parsed.errors.map((error) => syntaxProblem(error.message, lines.linePos(error.pos[0]))),
    };
  }
  try {
    return { document: { value: parsed.toJS(), locate: (path) => place(parsed, lines, path) } };
  } catch (error) {
    // Aliases to nowhere or without end are found only when the values are made.
    return {
      problems: [syntaxProblem(String(error instanceof Error ? error.message : error), { line: 1, col: 1 })],
    };
  }
}

function syntaxProblem(message: string, at: { line: number; col: number }): PlatformProblem {
  return {
    path: [],
    line: at.line,
    column: at.col,
    found: `a YAML error: ${message}`,
    allowed: 'a YAML document',
  };
}

function place(document: Document, lines: LineCounter, path: Path): Place {
  let node: unknown = document.contents;
  let offset = 0;
  for (const key of path) {
    const step = child(document, node, key);
    if (!step) break;
    offset = step.offset ?? offset;
    node = step.node;
  }
  const { line, col } = lines.linePos(offset);
  return { line, column: col };
}

function child(
  document: Document,
  parent: unknown,
  key: string | number,
): { node: unknown; offset?: number | undefined } | undefined {
  const node = isAlias(parent) ? parent.resolve(document) : parent;
  if (isMap(node)) {
    const pair = node.items.find(
      (item) => String(isScalar(item.key) ? item.key.value : item.key) === String(key),
    );
    return pair && { node: pair.value, offset: start(pair.key) };
  }
  if (isSeq(node) && typeof key === 'number' && node.items[key] !== undefined) {
    return { node: node.items[key], offset: start(node.items[key]) };
  }
  return undefined;
}

function start(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}
