import { main } from '../../src/cli/main.ts';
import type { Terminal } from '../../src/cli/terminal.ts';

/** What a command printed and how it ended. */
export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface ConsoleOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly interactive?: boolean;
  readonly interruption?: AbortSignal;
  /** What the person types when asked; without it nobody is there to answer. */
  readonly answers?: (question: string) => string;
}

/** Runs one `slipway` command in this process, as a person whose environment has nothing but `env`. */
export async function slipway(args: readonly string[], options: ConsoleOptions = {}): Promise<Outcome> {
  let [out, err] = ['', ''];
  const terminal: Terminal = {
    env: { HOME: '/nonexistent', SLIPWAY_USER: 'dana', ...options.env },
    interactive: options.interactive ?? false,
    columns: 100,
    rows: 40,
    write: (text) => void (out += text),
    writeError: (text) => void (err += text),
    interruption: () => options.interruption ?? new AbortController().signal,
    ask: (question) => Promise.resolve(options.answers?.(question)),
  };
  const code = await main(args, terminal);
  return { code, out, err };
}
