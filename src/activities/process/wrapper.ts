import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { HERE } from './identity.ts';

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

/** Prints `<pid> <place> <started>` of the shell itself, in the form of `formatIdentity`. */
const IDENTITY = `identity() {
  if [ -r /proc/self/stat ]; then
    read -r stat < "/proc/$$/stat"; read -r boot < /proc/sys/kernel/random/boot_id
    rest=\${stat##*") "}; set -- $rest; shift 19
    echo "$$ $place $boot/$1"
  else
    set -- $(LC_ALL=C ps -o lstart= -p $$); echo "$$ $place $*"
  fi
}`;

/**
 * Claims the directory (noclobber: one wrapper wins), runs the command with its output in files, and writes its exit
 * code by a rename, so that whoever comes later finds either none or all of it. `trap :` and not an ignored signal:
 * the command must not inherit it. $1 directory, $2 the worker's place, $3 file to remove afterwards or empty, the rest the
 * command.
 */
const WRAPPER = `umask 077
${IDENTITY}
dir=$1 place=$2 secret=$3; shift 3
set -C
{ identity > "$dir/wrapper"; } 2>/dev/null || exit 0
set +C
trap : INT TERM HUP
/bin/sh -c "$INNER" sh "$dir" "$place" "$@" > "$dir/stdout" 2> "$dir/stderr" < /dev/null
code=$?
[ -z "$secret" ] || rm -f "$secret"
echo "$code" > "$dir/exit-code.new" && mv "$dir/exit-code.new" "$dir/exit-code"
`;

/** Leaves its identity and becomes the command, so that the command can be signalled alone. */
const INNER = `${IDENTITY}
dir=$1 place=$2; shift 2
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
  const args = ['-c', WRAPPER, 'sh', directory, HERE, removeAfterwards ?? '', ...command];
  const child = spawn('/bin/sh', args, {
    cwd,
    env: { ...env, INNER },
    detached: true,
    stdio: 'ignore',
  });
  child.unref();
  return child;
}
