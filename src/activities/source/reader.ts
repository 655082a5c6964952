import { ApplicationFailure } from '@temporalio/common';

/** The platform's repository, read at exact commits. */
export interface SourceReader {
  /**
   * The text of a file in the repository at `commit`.
   * @param path relative to the repository's root
   * @throws non-retryable `CommitNotFound`, `PathNotFound`, `PathOutsideRepository`
   */
  readFile(commit: string, path: string): Promise<string>;
  /**
   * Hands `use` a private directory that holds exactly the files of `commit`, and removes it when `use` ends.
   * @throws non-retryable `CommitNotFound`; retryable `SourceUnavailable` when the repository can't be reached
   */
  withCheckout<T>(commit: string, use: (directory: string) => Promise<T>): Promise<T>;
}

/** The repository has no such commit. */
export function commitNotFound(commit: string, repository: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(
    `Commit ${commit} is not in ${repository}. Push it there, or check the hash for a typing error.`,
    'CommitNotFound',
    { commit, repository },
  );
}

/** The commit has no such file. */
export function pathNotFound(commit: string, path: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(
    `The repository has no file ${path} at commit ${commit}. Add it in a new commit, or correct the path in slipway.yaml.`,
    'PathNotFound',
    { commit, path },
  );
}

/** The path leaves the repository: it is absolute, has `..`, or runs through a symbolic link. */
export function pathOutsideRepository(path: string, why: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(
    `The path ${path} is refused: ${why}. Use a path to a regular file or directory inside the repository.`,
    'PathOutsideRepository',
    { path, why },
  );
}
