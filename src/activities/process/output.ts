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

/** The last line of a file that is not blank, at most 200 characters of it. */
export async function lastLine(path: string): Promise<string> {
  const lines = (await tail(path, 4096)).split('\n').filter((line) => line.trim() !== '');
  return (lines.at(-1) ?? '').slice(0, 200);
}
