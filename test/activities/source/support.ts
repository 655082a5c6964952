import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const IDENTITY = {
  GIT_AUTHOR_NAME: 'Ada',
  GIT_AUTHOR_EMAIL: 'ada@example.com',
  GIT_COMMITTER_NAME: 'Ada',
  GIT_COMMITTER_EMAIL: 'ada@example.com',
};
const DATES = { GIT_AUTHOR_DATE: '2026-11-01T10:00:00Z', GIT_COMMITTER_DATE: '2026-11-01T10:00:00Z' };

/** A git repository in `directory` with real commits. */
export class TestRepository {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
    mkdirSync(directory, { recursive: true });
    this.git('init', '--quiet', '--initial-branch=main');
  }

  git(...args: string[]): string {
    const env = { PATH: process.env['PATH'], HOME: this.directory, ...IDENTITY, ...DATES };
    return execFileSync('git', args, { cwd: this.directory, encoding: 'utf8', env }).trim();
  }

  /** Writes files (`{executable: text}` and `{link: target}` too) and commits them. @returns the commit's hash */
  commit(
    files: Record<string, string | { executable: string } | { link: string }>,
    message = 'A change',
  ): string {
    for (const [path, content] of Object.entries(files)) this.write(join(this.directory, path), content);
    this.git('add', '--all', '--force', ...Object.keys(files));
    this.git('commit', '--quiet', '--allow-empty', '--message', message);
    return this.git('rev-parse', 'HEAD');
  }

  private write(path: string, content: string | { executable: string } | { link: string }): void {
    mkdirSync(dirname(path), { recursive: true });
    if (typeof content === 'string') writeFileSync(path, content);
    else if ('link' in content) symlinkSync(content.link, path);
    else {
      writeFileSync(path, content.executable);
      chmodSync(path, 0o755);
    }
  }
}
