import { DefaultLogger, Runtime, type Logger, type LogLevel } from '@temporalio/worker';
import type { Config } from './config.ts';

/** Writes log lines to standard error: for people (`text`) or for programs (`json`). */
export function installLogger({ level, format }: Config['log']): Logger {
  const upper = level.toUpperCase() as LogLevel;
  const logger =
    format === 'json' ? new DefaultLogger(upper, (entry) => writeJson(entry)) : new DefaultLogger(upper);
  const forwarded = upper === 'TRACE' || upper === 'DEBUG' ? 'INFO' : 'WARN';
  Runtime.install({ logger, telemetryOptions: { logging: { forward: {}, filter: forwarded } } });
  return logger;
}

function writeJson({
  level,
  message,
  meta,
  timestampNanos,
}: Parameters<ConstructorParameters<typeof DefaultLogger>[1] & {}>[0]): void {
  const time = new Date(Number(timestampNanos / 1_000_000n)).toISOString();
  process.stderr.write(`${JSON.stringify({ time, level, message, ...meta }, plain)}\n`);
}

/** What JSON has no form for, in the meta data of a log line. */
function plain(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  return value instanceof Error ? { name: value.name, message: value.message } : value;
}
