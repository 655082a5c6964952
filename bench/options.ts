/** What every bench is given. */
export interface BenchOptions {
  /** A try of the bench itself: its figures mean nothing. */
  readonly quick: boolean;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** Tells how far it is. */
  readonly say: (text: string) => void;
}
