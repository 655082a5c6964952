import type { UndoneStep } from '../../domain/report.ts';

/** Takes one step back. Looks at the world first: a step that never took effect is `nothing to undo`. */
export type Undo = () => Promise<Omit<UndoneStep, 'step'>>;

/** What to do about an undo that keeps failing: `retry` it, or `skip` it and go on with the rest. */
export type AskWhatNow = (step: string, error: unknown) => Promise<{ action: 'retry' | 'skip'; by: string }>;

/** The steps to take back, the last first. An undo is registered before its step does anything. */
export class Saga {
  readonly #undos: { readonly step: string; readonly undo: Undo }[] = [];

  register(step: string, undo: Undo): void {
    this.#undos.push({ step, undo });
  }

  /** Whether any step has begun that changes the world. */
  get begun(): boolean {
    return this.#undos.length > 0;
  }

  /** Takes all steps back; what keeps failing is asked about, never swallowed. */
  async compensate(explain: (error: unknown) => string, ask: AskWhatNow): Promise<UndoneStep[]> {
    const undone: UndoneStep[] = [];
    for (const { step, undo } of this.#undos.toReversed()) {
      undone.push(await this.#takeBack(step, undo, explain, ask));
    }
    return undone;
  }

  async #takeBack(
    step: string,
    undo: Undo,
    explain: (e: unknown) => string,
    ask: AskWhatNow,
  ): Promise<UndoneStep> {
    for (;;) {
      try {
        return { step, ...(await undo()) };
      } catch (error) {
        const { action, by } = await ask(step, error);
        if (action === 'skip')
          return { step, outcome: 'failed', detail: `${explain(error)} (left so by ${by})` };
      }
    }
  }
}
