import { isNativeError } from 'node:util/types';
import { substitute, valuesOf } from '../../domain/placeholders.ts';
import type { ServicePolicy } from '../../domain/policy.ts';
import type { Check } from '../../domain/verdict.ts';
import type { VerificationInput } from './types.ts';

/** A connection may break once: only an answer that can't be had this often is a failure. */
const ATTEMPTS = 3;
/** Milliseconds. */
const TIMEOUT = 5_000;
/** The most of an answer that is shown. */
const SHOWN = 200;

type Answer =
  { readonly kind: 'version'; readonly version: string } | { readonly kind: 'none'; readonly why: string };

/** Asks each service that has a URL for the version that it serves. */
export async function checkServedVersions(input: VerificationInput, signal: AbortSignal): Promise<Check[]> {
  const asked = input.services.flatMap(({ url, ...service }) =>
    url ? [checkOne(input, { ...service, url }, signal)] : [],
  );
  return Promise.all(asked);
}

async function checkOne(
  { outputs, manifest }: VerificationInput,
  service: ServicePolicy & { readonly url: string },
  signal: AbortSignal,
): Promise<Check> {
  const name = `served version of ${service.name}`;
  const { text: base, unresolved } = substitute(service.url, valuesOf('output', outputs));
  if (unresolved.length > 0)
    return {
      name,
      passed: false,
      detail: `its url needs ${unresolved.join(', ')}, which Terraform does not give`,
    };
  const address = joined(base, service.versionPath);
  const answer = await askVersion(address, signal);
  if (answer.kind === 'none') return { name, passed: false, detail: `${address}: ${answer.why}` };
  const passed = answer.version === manifest.version;
  const detail = `${address} answers ${answer.version}${passed ? '' : `, not ${manifest.version}`}`;
  return { name, passed, detail };
}

async function askVersion(address: string, signal: AbortSignal): Promise<Answer> {
  let answer: Answer = { kind: 'none', why: 'not asked' };
  for (let attempt = 1; attempt <= ATTEMPTS && answer.kind === 'none'; attempt++) {
    signal.throwIfAborted();
    answer = await ask(address, signal);
  }
  return answer;
}

async function ask(address: string, signal: AbortSignal): Promise<Answer> {
  try {
    const response = await fetch(address, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT)]),
    });
    const body = await response.text();
    if (!response.ok) return { kind: 'none', why: `it answered ${response.status}: ${readable(body)}` };
    return { kind: 'version', version: versionIn(body).slice(0, SHOWN) };
  } catch (error) {
    if (!isNativeError(error)) return { kind: 'none', why: String(error) };
    // `fetch failed` says nothing; its cause says what failed.
    const { message, cause } = error;
    return { kind: 'none', why: isNativeError(cause) ? `${message} (${cause.message})` : message };
  }
}

/** An error page, as its words on one line. */
function readable(body: string): string {
  return body
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim()
    .slice(0, SHOWN);
}

/** `{"version": "1.4.0"}`, or plain text. */
function versionIn(body: string): string {
  try {
    const json: unknown = JSON.parse(body);
    if (typeof json === 'object' && json !== null && 'version' in json) return String(json.version);
  } catch {
    // Not JSON: plain text.
  }
  return body.trim();
}

function joined(base: string, path: string): string {
  return `${base.replace(/\/+$/, '')}/${path.replace(/^\/+/, '')}`;
}
