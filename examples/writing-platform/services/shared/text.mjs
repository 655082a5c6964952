import { Failure } from './failure.mjs';

const MAXIMUM = 10_000;

/**
 * The text of a request's body.
 * @param {unknown} body
 * @param {string} field
 * @returns {string}
 * @throws Failure 400
 */
export function textOf(body, field) {
  const text = body?.[field];
  if (typeof text !== 'string' || text.trim() === '') throw new Failure(400, `"${field}" must be a text`);
  if (text.length > MAXIMUM) throw new Failure(400, `"${field}" is over ${MAXIMUM} characters`);
  return text;
}
