/** What the services of the bench run: each source is the program of an image. */

const serving = (version: string): string => `
  import { createServer } from 'node:http';
  createServer((request, response) => response.end('${version}')).listen(Number(process.env.PORT), '127.0.0.1');
  process.on('SIGTERM', () => process.exit(0));`;

/** Serves, and lives on. */
export const good = serving;

/** Never serves: gives up after a while, as a service does that can't reach its database. */
export const neverStarts = (afterSeconds: number): string => `
  process.on('SIGTERM', () => process.exit(0));
  setTimeout(() => {
    console.error('the database does not answer');
    process.exit(3);
  }, ${afterSeconds * 1000});`;

/** Serves, is healthy, and dies once the file is there that the environment names. */
export const diesLater = (version: string): string => `${serving(version)}
  import { existsSync } from 'node:fs';
  setInterval(() => {
    if (existsSync(process.env.DEATH)) process.exit(1);
  }, 100);`;
