export interface CommitFound {
  readonly subject: string;
  readonly author: string;
  /** ISO 8601. */
  readonly committedAt: string;
}

export interface SourceActivities {
  /** @returns the commit, or `undefined`-like `{found: false}` when the platform's repository does not have it */
  findCommit(input: {
    commit: string;
  }): Promise<{ found: true; commit: CommitFound } | { found: false; detail: string }>;
}
