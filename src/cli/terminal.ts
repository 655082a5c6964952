import { createInterface } from 'node:readline';

/** What a command reads and writes besides its arguments; tests give their own. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether standard output is a terminal that can be redrawn. */
  readonly interactive: boolean;
  /** Characters a line. */
  readonly columns: number;
  /** Lines a screen. */
  readonly rows: number;
  /** Standard output. */
  write(text: string): void;
  /** Standard error. */
  writeError(text: string): void;
  /** Aborted when the person presses Ctrl-C while a command waits. Without a waiting command Ctrl-C ends the process. */
  interruption(): AbortSignal;
  /** Asks the person, and gives the line that is typed; undefined where no person could answer. */
  ask(question: string): Promise<string | undefined>;
}

export function processTerminal(): Terminal {
  return {
    env: process.env,
    interactive: process.stdout.isTTY,
    get columns() {
      return process.stdout.columns ?? 100;
    },
    get rows() {
      return process.stdout.rows ?? 40;
    },
    write: (text) => void process.stdout.write(text),
    writeError: (text) => void process.stderr.write(text),
    interruption() {
      const controller = new AbortController();
      process.once('SIGINT', () => controller.abort());
      return controller.signal;
    },
    ask: askOnTerminal,
  };
}

/** On standard error: standard output is the answer alone. Ctrl-C and Ctrl-D are an empty line. */
async function askOnTerminal(question: string): Promise<string | undefined> {
  const { stdin: input, stderr: output } = process;
  if (!input.isTTY || !output.isTTY) return undefined;
  const lines = createInterface({ input, output });
  try {
    return await new Promise<string>((resolve) => {
      lines.once('close', () => resolve(''));
      lines.question(question, resolve);
    });
  } finally {
    lines.close();
  }
}

export function printLine(terminal: Terminal, text: string): void {
  terminal.write(`${printable(text)}\n`);
}

export function printJson(terminal: Terminal, value: unknown): void {
  terminal.write(`${JSON.stringify(value, undefined, 2)}\n`);
}

/** Comments and reasons come from others: what would steer a terminal is shown, not obeyed. */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '\u{fffd}');
}
