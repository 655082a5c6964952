/** A release of the example: release 1.0.0's files, and those of `overlays` (folders in `releases/`) on top, in order. */
export interface ExampleRelease {
  readonly version: string;
  readonly overlays: readonly string[];
  readonly subject: string;
}

/** In the order of their commits. What each changes, and what is wrong with it: `releases/README.md`. */
export const RELEASES: readonly ExampleRelease[] = [
  { version: '1.0.0', overlays: [], subject: 'An editor that suggests how a text goes on' },
  { version: '1.1.0', overlays: ['1.1.0'], subject: 'Several suggestions to choose from' },
  {
    version: '1.2.0',
    overlays: ['1.1.0', '1.2.0'],
    subject: 'The large model remembers what it was asked',
  },
  {
    version: '1.3.0',
    overlays: ['1.1.0', '1.3.0'],
    subject: 'Suggestions are counted; the large model remembers nothing again',
  },
];
