import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';

/** What a process leaves in its directory. */
export const processFiles = (directory: string) => ({
  /** Identity of the wrapper, whose pid is the group's. */
  wrapper: join(directory, 'wrapper'),
  /** Identity of the command itself. */
  command: join(directory, 'command'),
  stdout: join(directory, 'stdout'),
  stderr: join(directory, 'stderr'),
  exitCode: join(directory, 'exit-code'),
});

/** Prints `<pid> <started>` of the shell itself, in the form of `identityOf`. */
const IDENTITY = `identity() {
  if [ -r /proc/self/stat ]; then
    read -r stat < "/proc/$$/stat"; read -r boot < /proc/sys/kernel/random/boot_id
    rest=\${stat##*") "}; set -- $rest; shift 19
    echo "$$ $boot/$1"
  else
    set -- $(LC_ALL=C ps -o lstart= -p $$); echo "$$ $*"
  fi
}`;

/**
 * Claims the directory (noclobber: one wrapper wins), runs the command with its output in files, and writes its exit
 * code by a rename, so that whoever comes later finds either none or all of it. `trap :` and not an ignored signal:
 * the command must not inherit it. $1 directory, $2 file to remove afterwards or empty, the rest the command.
 */
const WRAPPER = `umask 077
${IDENTITY}
set -C
{ identity > "$1/wrapper"; } 2>/dev/null || exit 0
set +C
trap : INT TERM HUP
dir=$1 secret=$2; shift 2
/bin/sh -c "$INNER" sh "$dir" "$@" > "$dir/stdout" 2> "$dir/stderr" < /dev/null
code=$?
[ -z "$secret" ] || rm -f "$secret"
echo "$code" > "$dir/exit-code.new" && mv "$dir/exit-code.new" "$dir/exit-code"
`;

/** Leaves its identity and becomes the command, so that the command can be signalled alone. */
const INNER = `${IDENTITY}
dir=$1; shift
identity > "$dir/command"
unset INNER
exec "$@"`;

export interface Launch {
  readonly directory: string;
  readonly command: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly removeAfterwards?: string;
}

/** Starts the wrapper in a session of its own, with no pipe to this process. */
export function launch({ directory, command, cwd, env, removeAfterwards }: Launch): ChildProcess {
  const child = spawn('/bin/sh', ['-c', WRAPPER, 'sh', directory, removeAfterwards ?? '', ...command], {
    cwd,
    env: { ...env, INNER },
    detached: true,
    stdio: 'ignore',
  });
  child.unref();
  return child;
}
