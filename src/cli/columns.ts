const SEGMENTER = new Intl.Segmenter();

/** Rows in aligned columns, two spaces between them, the last one as wide as it is. */
export function columns(rows: readonly (readonly string[])[], indent = ''): string[] {
  const count = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: count }, (_, i) => Math.max(...rows.map((row) => width(row[i] ?? ''))));
  return rows.map((row) =>
    `${indent}${row.map((cell, i) => pad(cell, widths[i] ?? 0)).join('  ')}`.trimEnd(),
  );
}

/** At most `most` characters of one line. */
export function shortened(text: string, most: number): string {
  const line = characters(text.replaceAll(/\s+/g, ' ').trim());
  return line.length <= most ? line.join('') : `${line.slice(0, Math.max(0, most - 1)).join('')}…`;
}

function pad(cell: string, to: number): string {
  return cell + ' '.repeat(Math.max(0, to - width(cell)));
}

function width(text: string): number {
  return characters(text).length;
}

/** As a person counts them: an accent does not count beside its letter. */
function characters(text: string): string[] {
  return Array.from(SEGMENTER.segment(text), ({ segment }) => segment);
}
