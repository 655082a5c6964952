import { ApplicationFailure } from '@temporalio/common';
import { looksSecret } from '../../domain/hardening.ts';

/** A release's settings, sorted by key. */
export type Settings = readonly { readonly key: string; readonly value: string }[];

const KEY = /^[A-Za-z][A-Za-z0-9_]{0,127}$/;
/** Bytes of a parameter of SSM's standard tier. */
const LONGEST = 4096;

/**
 * Reads the text of a settings file: a JSON object of texts.
 * @param path names the file in errors
 * @throws non-retryable `InvalidSettings` with every problem
 */
export function parseSettings(text: string, path: string): Settings {
  const value = parseJson(text, path);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid(path, ['found no JSON object; allowed: {"KEY": "value", ...}']);
  }
  const entries: [string, unknown][] = Object.entries(value);
  const problems = entries.flatMap(([key, content]) => [...keyProblems(key), ...valueProblems(key, content)]);
  if (problems.length > 0) throw invalid(path, problems);
  return entries
    .flatMap(([key, content]) => (typeof content === 'string' ? [{ key, value: content }] : []))
    .toSorted((a, b) => (a.key < b.key ? -1 : 1));
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalid(path, [`found no JSON: ${error instanceof Error ? error.message : String(error)}`]);
  }
}

function keyProblems(key: string): string[] {
  if (!KEY.test(key)) {
    return [
      `found the key ${JSON.stringify(key)}; allowed: a letter, then letters, digits and _, 128 in all at the most`,
    ];
  }
  if (looksSecret(key)) {
    return [
      `found the key ${key}, which looks like a secret's; settings are kept in the repository and shown to approvers. Put it in Secrets Manager, and refer to it by \${secret:NAME} in the task definition's secrets`,
    ];
  }
  return [];
}

function valueProblems(key: string, value: unknown): string[] {
  if (typeof value !== 'string') {
    return [
      `${key}: found ${value === null ? 'null' : `a ${Array.isArray(value) ? 'list' : typeof value}`}; allowed: a text in quotes`,
    ];
  }
  if (value === '') return [`${key}: found an empty text, which SSM does not keep; leave the key out`];
  if (Buffer.byteLength(value) > LONGEST)
    return [`${key}: found ${Buffer.byteLength(value)} bytes; allowed: ${LONGEST}`];
  if (/\{\{.*\}\}/s.test(value))
    return [`${key}: found {{...}}, which SSM takes for a reference to a parameter and refuses`];
  return [];
}

function invalid(path: string, problems: readonly string[]): ApplicationFailure {
  return ApplicationFailure.nonRetryable(`${path} is not valid: ${problems.join('; ')}`, 'InvalidSettings', {
    file: path,
    problems,
  });
}
