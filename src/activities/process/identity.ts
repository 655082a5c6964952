import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { hasCode } from './errors.ts';

/**
 * A process that can be told from a later one with the same pid: its pid and when it started
 * (Linux: boot id and clock ticks since boot; elsewhere `ps`'s start time).
 */
export interface ProcessIdentity {
  readonly pid: number;
  readonly started: string;
}

/** @returns undefined when no such process runs; a zombie, whose work is over, does not run */
export function identityOf(pid: number): ProcessIdentity | undefined {
  const started = process.platform === 'linux' ? startedOnLinux(pid) : startedByPs(pid);
  return started === undefined ? undefined : { pid, started };
}

export function isAlive(identity: ProcessIdentity): boolean {
  return identityOf(identity.pid)?.started === identity.started;
}

/** Whether a process of the group that `leader` led still works; also true where that can't be told. */
export function groupIsAlive(leader: ProcessIdentity): boolean {
  if (process.platform !== 'linux') return groupExists(leader.pid);
  // Nothing outlives its host.
  if (bootOf(leader.started) !== bootOf(ownIdentity().started)) return false;
  return readdirSync('/proc').some((name) => {
    const stat = /^\d+$/.test(name) ? readStat(name) : undefined;
    return stat?.group === leader.pid && !stat.dead;
  });
}

/** Reads `<pid> <started>`, as the wrapper and the leases write it. */
export function parseIdentity(text: string): ProcessIdentity | undefined {
  const match = /^(\d+) (\S.*)$/.exec(text.trim());
  return match?.[1] && match[2] ? { pid: Number(match[1]), started: match[2] } : undefined;
}

export function formatIdentity(identity: ProcessIdentity): string {
  return `${identity.pid} ${identity.started}`;
}

/** This process's own identity. */
export function ownIdentity(): ProcessIdentity {
  const identity = identityOf(process.pid);
  if (!identity) throw new Error(`Process ${process.pid} can't read its own start time from /proc or ps.`);
  return identity;
}

function startedOnLinux(pid: number): string | undefined {
  const stat = readStat(String(pid));
  if (stat === undefined || stat.dead) return undefined;
  return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}/${stat.started}`;
}

/** A process that is dead is not yet waited for by its parent. */
function readStat(pid: string): { dead: boolean; group: number; started: string } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command's name, in parentheses, may hold spaces; fields 3 state, 5 process group, 22 start time (proc(5)).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const dead = fields[0] === 'Z' || fields[0] === 'X';
    return { dead, group: Number(fields[2]), started: fields[19] ?? '' };
  } catch {
    return undefined;
  }
}

const bootOf = (started: string) => started.split('/')[0];

function groupExists(group: number): boolean {
  try {
    process.kill(-group, 0);
    return true;
  } catch (error) {
    return !hasCode(error, 'ESRCH');
  }
}

function startedByPs(pid: number): string | undefined {
  try {
    const [state = '', ...started] = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], LC_ALL: 'C' },
      stdio: ['ignore', 'pipe', 'ignore'],
    })
      .trim()
      .split(/\s+/);
    return state === '' || state.startsWith('Z') ? undefined : started.join(' ');
  } catch {
    return undefined;
  }
}
