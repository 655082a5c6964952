import { diagnose } from '../command/diagnosis.ts';
import type { Diagnostic } from '../command/diagnostics.ts';
import type { StateReading } from '../state/state-file.ts';
import type { Intent } from './intent.ts';
import { MASK } from './intent.ts';

/** Meanings of an error after which what was asked for may have been made all the same. */
const UNCERTAIN: ReadonlySet<string | undefined> = new Set([
  'ProviderCrashed',
  'ProviderDefect',
  'Unreachable',
]);
/** How errors that have no name tell that an answer never came. */
const NO_ANSWER =
  /\bEOF\b|broken pipe|socket hang up|ECONNRESET|connection (was )?(closed|lost|aborted)|(request|context|operation) (was )?cancell?ed|timeout while|request send failed|StatusCode: 0\b/i;

/**
 * Of what an apply that ended by itself did not complete making, what may exist without the state knowing of it.
 *
 * Terraform puts into the state whatever a provider answers, also of a creation that failed on the way: that is tainted,
 * and known. What isn't there was either refused, as an error of that very resource says; or no answer came: the
 * provider's process died (its error names no resource), the connection was cut, or time ran out. An error of the
 * resource that does not say so is taken as a refusal: such are the ordinary errors of a provider.
 * @param incomplete addresses, as terraform told them
 * @param errors as terraform told them, all of them
 * @param state after the apply; undefined when it can't be read, so that nothing is known to be in it
 * @returns addresses out of `intent`
 */
export function unanswered(
  intent: Intent,
  incomplete: ReadonlySet<string>,
  errors: readonly Diagnostic[],
  state: StateReading | undefined,
): string[] {
  const replaced = new Set(intent.replaced);
  const isKnown = (address: string) => {
    if (state?.kind !== 'state') return false;
    // What is not tainted is the object that was to be replaced.
    return replaced.has(address) ? state.state.tainted.has(address) : state.state.objects.has(address);
  };
  const isRefused = (address: string) => {
    const own = errors.filter((error) => error.address === address);
    return own.length > 0 && !own.some(isUncertain);
  };
  const found = [...incomplete].filter((address) => !isKnown(address) && !isRefused(address));
  const named = new Set(found.filter((address) => intent.created.includes(address)));
  // An address with a secret in it is known by its masked form alone.
  const masked = found.length > named.size;
  return intent.created.filter((address) => named.has(address) || (masked && address.includes(MASK)));
}

function isUncertain(error: Diagnostic): boolean {
  const reason = diagnose([error])?.reason;
  return (
    UNCERTAIN.has(reason) || (reason === undefined && NO_ANSWER.test(`${error.summary} ${error.detail}`))
  );
}
