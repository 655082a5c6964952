import { open } from 'node:fs/promises';

/** The last `bytes` of a file as text, from the start of a line where there is one; empty when there is no file. */
export async function tail(path: string, bytes: number): Promise<string> {
  const file = await open(path).catch(() => undefined);
  if (!file) return '';
  try {
    const { size } = await file.stat();
    const from = Math.max(0, size - bytes);
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(size - from), position: from });
    const text = buffer.toString('utf8', 0, bytesRead);
    return from === 0 ? text : text.slice(text.indexOf('\n') + 1);
  } finally {
    await file.close();
  }
}

/** How much of a file its last line is looked for in. */
const LAST_BYTES = 16 * 1024;

/** The last line of a file that is not blank: whole, so that a secret in it is recognised; a very long one is passed over. */
export async function lastLine(path: string): Promise<string> {
  const text = await tail(path, LAST_BYTES);
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const isCut = lines.length === 1 && Buffer.byteLength(text) >= LAST_BYTES;
  return isCut ? '' : (lines.at(-1) ?? '');
}
