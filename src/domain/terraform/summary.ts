import { utf8ToBytes } from '@noble/hashes/utils.js';
import { line, warningsOf } from './display.ts';
import { describeDrift, readDrift } from './drift.ts';
import { countChanges } from './normalise.ts';
import type { PlanJson } from './plan.ts';
import { secretsOf } from './secrets.ts';

/** What is good to know of a plan beside its steps. */
export interface Summary {
  /** Such as `1 to create, 2 to update, 0 to replace, 0 to delete`. */
  readonly counts: string;
  /** Lines on what others changed. */
  readonly drift: readonly string[];
  /** Lines on the conditions of `check` blocks that are not met. */
  readonly checks: readonly string[];
}

/** Bytes of UTF-8, of each list. */
const ROOM = 700;
const LAST_LINE = 20;

/** @param known secrets that the caller knows of, beside those that the plan marks */
export function summaryOf(plan: PlanJson, known?: ReadonlySet<string>): Summary {
  const { create, update, replace, delete: gone } = countChanges(plan);
  return {
    counts: `${create} to create, ${update} to update, ${replace} to replace, ${gone} to delete`,
    drift: within(describeDrift(readDrift(plan, known)).map(line)),
    checks: within(warningsOf(plan, secretsOf(plan, known))),
  };
}

/** The first line always, then as many as there is room for. */
function within(lines: readonly string[]): string[] {
  let room = ROOM - LAST_LINE;
  const end = lines.findIndex((text, i) => (room -= utf8ToBytes(text).length + 1) < 0 && i > 0);
  return end === -1 ? [...lines] : [...lines.slice(0, end), `... and ${lines.length - end} more`];
}
