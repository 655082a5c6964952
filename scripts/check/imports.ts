import { parseSync } from '@swc/core';

export interface Import {
  /** The module as the source names it. */
  readonly from: string;
  /** Gone when the code runs. */
  readonly typeOnly: boolean;
}

interface Node {
  readonly type?: string;
  readonly [field: string]: unknown;
}

/** Every module that a TypeScript source imports, exports from, or loads by `import('...')`. */
export function importsOf(source: string): Import[] {
  return collect(parseSync(source, { syntax: 'typescript', target: 'es2024' }));
}

function collect(value: unknown): Import[] {
  if (Array.isArray(value)) return value.flatMap(collect);
  if (typeof value !== 'object' || value === null) return [];
  const node = value as Node;
  return [...ownImport(node), ...Object.values(node).flatMap(collect)];
}

function ownImport(node: Node): Import[] {
  switch (node.type) {
    case 'ImportDeclaration':
    case 'ExportNamedDeclaration':
    case 'ExportAllDeclaration':
      return fromLiteral(node.source, node.typeOnly === true);
    case 'CallExpression':
      return isNode(node.callee, 'Import') ? fromLiteral(firstArgument(node), false) : [];
    case 'TsImportType':
      return fromLiteral(node.argument, true);
    default:
      return [];
  }
}

function firstArgument(call: Node): unknown {
  return (call.arguments as { expression: unknown }[])[0]?.expression;
}

function fromLiteral(node: unknown, typeOnly: boolean): Import[] {
  return isNode(node, 'StringLiteral') ? [{ from: String(node.value), typeOnly }] : [];
}

function isNode(value: unknown, type: string): value is Node {
  return typeof value === 'object' && value !== null && (value as Node).type === type;
}
