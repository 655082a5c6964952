import { AssertionError } from 'node:assert/strict';

/**
 * A base URL from the environment.
 * @param {string} name
 */
export function urlOf(name) {
  const value = process.env[name];
  if (!value) {
    console.error(`${name} is not set: it must be the URL of a deployed service`);
    process.exit(2);
  }
  return value;
}

/**
 * Sends one request.
 * @param {string} base
 * @param {string} path
 * @param {unknown} [body] posted as JSON
 * @returns {Promise<{ status: number, type: string, text: string, json: any }>}
 */
export async function ask(base, path, body) {
  const post = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  };
  const signal = AbortSignal.timeout(10_000);
  const response = await fetch(new URL(path, base), body === undefined ? { signal } : { ...post, signal });
  const text = await response.text();
  const type = response.headers.get('content-type') ?? '';
  return { status: response.status, type, text, json: type.includes('json') ? JSON.parse(text) : undefined };
}

/**
 * Runs checks in their order, says how each ended, and sets the exit code: 0 when all passed, 1 otherwise.
 * @param {Record<string, () => Promise<void>>} checks by what they show
 */
export async function check(checks) {
  let failed = 0;
  for (const [name, run] of Object.entries(checks)) {
    try {
      await run();
      console.log(`ok      ${name}`);
    } catch (error) {
      failed += 1;
      console.log(`FAILED  ${name}\n${indented(reasonOf(error))}`);
    }
  }
  console.log(failed === 0 ? `all ${Object.keys(checks).length} checks passed` : `${failed} checks failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

function reasonOf(error) {
  if (error instanceof AssertionError) return error.message;
  return [error.message, error.cause?.message ?? error.cause?.code].filter(Boolean).join(': ');
}

function indented(text) {
  return text.replaceAll(/^/gm, '        ');
}
