/**
 * Plain text in one line of Markdown. HTML's `&` and `<` become entities; what else could begin a span, a cell, a link or
 * a mention is escaped by a backslash; a bare URL stays one.
 */
export function escapeMarkdown(text: string): string {
  return text
    .replaceAll(/\s+/g, ' ')
    .trim()
    .replaceAll(/[\\`*_[\]|~#]/g, String.raw`\$&`)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('@', '&#64;')
    .replace(/^([-+=>]|\d+[.)](?=\s))/, (mark) =>
      /^\d/.test(mark) ? mark.replace(/[.)]/, String.raw`\$&`) : `\\${mark}`,
    );
}

/** A code span whose fence is longer than any run of backticks in it (CommonMark 6.1). */
export function codeSpan(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ');
  const longest = Math.max(0, ...[...line.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  const pad = longest > 0 ? ' ' : '';
  return `${fence}${pad}${line}${pad}${fence}`;
}

/** A table as GitHub has it; its texts are plain. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.map(escapeMarkdown).join(' | ')} |`;
  return [line(head), `|${' --- |'.repeat(head.length)}`, ...rows.map(line)];
}
