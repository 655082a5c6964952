import { describeProblems, type Parsed } from '../domain/input.ts';
import { CommandError } from './errors.ts';

/** @throws CommandError `InvalidInput` with every problem */
export function accepted<T>(parsed: Parsed<T>): T {
  if (parsed.kind === 'ok') return parsed.value;
  throw new CommandError('InvalidInput', `Nothing was sent: ${describeProblems(parsed.problems)}.`);
}
