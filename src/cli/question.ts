import type { RunStatus } from '../domain/status.ts';

/** What a run may ask people: by the signal that answers. */
export const QUESTIONS = ['approve', 'recordManualTest', 'decide'] as const;
export type Question = (typeof QUESTIONS)[number];

/** What the run asks at the moment: its status names the signal in the command to type. */
export function questionOf({ waiting }: Pick<RunStatus, 'waiting'>): Question | undefined {
  const named = waiting?.commands.flatMap((command) => / --name (\w+)/.exec(command)?.[1] ?? []);
  return QUESTIONS.find((question) => named?.includes(question));
}
