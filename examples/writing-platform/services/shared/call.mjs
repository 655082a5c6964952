import { Failure } from './failure.mjs';

/**
 * Posts JSON to another service.
 * @param {{ name: string, url: string, timeout: number }} target `timeout` in milliseconds, over all attempts
 * @param {string} path
 * @param {unknown} body
 * @param {string} requestId handed on, so that one request can be followed through all logs
 * @returns {Promise<any>} the answer's JSON
 * @throws Failure 504 when the answer took too long, here or further down; the target's own 4xx; 502 for everything else
 */
export async function call(target, path, body, requestId) {
  const { status, answer } = await post(target, path, body, requestId);
  if (status < 300 && answer !== undefined) return answer;
  const reason = answer?.error ?? `status ${status} without a JSON body`;
  throw new Failure(statusFor(status), `${target.name}: ${reason}`);
}

function statusFor(status) {
  if (status === 504) return 504;
  return status >= 400 && status < 500 ? status : 502;
}

async function post(target, path, body, requestId) {
  const signal = AbortSignal.timeout(target.timeout);
  const send = () =>
    fetch(new URL(path, target.url), {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-request-id': requestId },
      body: JSON.stringify(body),
      signal,
    });
  try {
    // A pooled connection that the other side has just closed breaks before any answer. Asking again is safe: an answer
    // depends on nothing but the question.
    const response = await send().catch((error) => (signal.aborted ? Promise.reject(error) : send()));
    return { status: response.status, answer: parse(await response.text()) };
  } catch (error) {
    if (signal.aborted) {
      throw new Failure(504, `${target.name}: no answer in ${target.timeout} ms`, { cause: error });
    }
    throw new Failure(502, `${target.name}: ${error.cause?.code ?? error.message}`, { cause: error });
  }
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
