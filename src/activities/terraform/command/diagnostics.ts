import { plain } from '../../process/redact.ts';

/** An error that terraform reported. */
export interface Diagnostic {
  readonly summary: string;
  readonly detail: string;
  /** Of the resource instance, where it is about one. */
  readonly address?: string;
}

/** Errors out of terraform's JSON stream (`-json`) and out of its text for people. */
export function readDiagnostics(stdout: string, stderr: string): Diagnostic[] {
  const fromJson = stdout.split('\n').flatMap(readLine);
  const fromText = [
    ...readText(
      stdout
        .split('\n')
        .filter((line) => !line.startsWith('{'))
        .join('\n'),
    ),
    ...readText(stderr),
  ];
  return [...fromJson, ...fromText];
}

function readLine(line: string): Diagnostic[] {
  if (!line.startsWith('{')) return [];
  try {
    const entry: unknown = JSON.parse(line);
    const found = member(entry, 'diagnostic');
    return member(found, 'severity') === 'error' ? [diagnosticOf(found)] : [];
  } catch {
    return [];
  }
}

/**
 * `Error: summary`, an empty line, the detail; in a frame of box characters or not. An error that comes from beside
 * Terraform's diagnostics is a text alone, such as `Error refreshing state: ...`.
 */
function readText(text: string): Diagnostic[] {
  const unframed = plain(text).replaceAll(/^[╷│╵] ?/gm, '');
  return unframed
    .split(/^Error: /m.test(unframed) ? /^Error: /m : /^(?=Error [a-z])/m)
    .filter((_, index) => index > 0 || unframed.startsWith('Error '))
    .map((part) => {
      const [summary = '', ...detail] = part.split('\n');
      return { summary: summary.trim(), detail: detail.join('\n').trim() };
    });
}

function diagnosticOf(value: unknown): Diagnostic {
  const text = (name: string) => {
    const found = member(value, name);
    return typeof found === 'string' ? found : '';
  };
  const address = text('address');
  return {
    summary: text('summary'),
    detail: [address && `with ${address}:`, text('detail')].filter(Boolean).join(' '),
    ...(address && { address }),
  };
}

function member(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.entries(value).find(([key]) => key === name)?.[1];
}
