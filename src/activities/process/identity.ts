import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { hasCode } from './errors.ts';

/** `/proc/self/ns/pid` in the host's own PID namespace, the same at every boot (PROC_PID_INIT_INO of Linux). */
const HOSTS_OWN = 'pid:[4026531836]';

/** Where this process sees others by their pid: a host, or one boot of it and a container's PID namespace in it. */
export const HERE = ownPlace();

/**
 * A process that can be told from a later one with the same pid: where it is, its pid and when it started
 * (Linux: boot id and clock ticks since boot; elsewhere `ps`'s start time).
 */
export interface ProcessIdentity {
  readonly pid: number;
  /** `HERE`, as that process has it. */
  readonly place: string;
  readonly started: string;
}

/** @returns undefined when no such process runs; a zombie, whose work is over, does not run */
export function identityOf(pid: number): ProcessIdentity | undefined {
  const started = process.platform === 'linux' ? startedOnLinux(pid) : startedByPs(pid);
  return started === undefined ? undefined : { pid, place: HERE, started };
}

/** Of a process that is `elsewhere`, such as in another container, nobody here can tell whether it lives. */
export function whereabouts({ pid, place, started }: ProcessIdentity): 'alive' | 'gone' | 'elsewhere' {
  if (place !== HERE) return 'elsewhere';
  return identityOf(pid)?.started === started ? 'alive' : 'gone';
}

/** It runs, and here. */
export function isAlive(identity: ProcessIdentity): boolean {
  return whereabouts(identity) === 'alive';
}

/** Whether a process of the group that `leader` led still works; also true where that can't be told. */
export function groupIsAlive(leader: ProcessIdentity): boolean {
  if (leader.place !== HERE) return true;
  if (process.platform !== 'linux') return groupExists(leader.pid);
  // Nothing outlives its host.
  if (bootOf(leader.started) !== bootOf(ownIdentity().started)) return false;
  return readdirSync('/proc').some((name) => {
    const stat = /^\d+$/.test(name) ? readStat(name) : undefined;
    return stat?.group === leader.pid && !stat.dead;
  });
}

/** Reads `<pid> <place> <started>`, as the wrapper and the leases write it. */
export function parseIdentity(text: string): ProcessIdentity | undefined {
  const [, pid, place, started] = /^(\d+) (\S+) (\S.*)$/.exec(text.trim()) ?? [];
  return pid && place && started ? { pid: Number(pid), place, started } : undefined;
}

export function formatIdentity({ pid, place, started }: ProcessIdentity): string {
  return `${pid} ${place} ${started}`;
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
  return `${bootId()}/${stat.started}`;
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

function ownPlace(): string {
  const host = hostname().replaceAll(/[\s/]/g, '_') || 'nameless';
  if (process.platform !== 'linux') return host;
  const namespace = ownNamespace();
  return namespace === HOSTS_OWN ? host : `${host}/${bootId()}/${namespace}`;
}

function ownNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return 'untold';
  }
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
