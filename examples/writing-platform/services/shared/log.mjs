/**
 * A logger that writes one JSON object a line to standard output, where the log driver picks it up.
 * @param {Record<string, unknown>} fields on every line
 */
export function createLog(fields) {
  const write = (level, message, more) =>
    process.stdout.write(
      `${JSON.stringify({ time: new Date().toISOString(), level, ...fields, message, ...more })}\n`,
    );
  return {
    info: (message, more) => write('info', message, more),
    error: (message, more) => write('error', message, more),
  };
}
