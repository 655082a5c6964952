import type { RunStatus } from '../domain/status.ts';

/** What a run may ask people: by the signal that answers. */
export const QUESTIONS = ['approve', 'recordManualTest', 'decide', 'resume'] as const;
export type Question = (typeof QUESTIONS)[number];

/** What the run asks at the moment. */
export function questionOf({ waiting }: Pick<RunStatus, 'waiting'>): Question | undefined {
  return QUESTIONS.find((question) => question === waiting?.signal);
}
