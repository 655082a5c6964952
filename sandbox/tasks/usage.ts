import { execFile, execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';

/** What a process group has used and uses. */
export interface GroupUsage {
  /** CPU time since its start, in seconds. */
  readonly cpuSeconds: number;
  readonly residentBytes: number;
}

/** The usage of every process group of this machine, by the group's id. */
export async function usageByGroup(): Promise<Map<number, GroupUsage>> {
  return process.platform === 'linux' ? fromProc() : parsePs((await ps()).stdout);
}

const units = { ticksPerSecond: 0, pageBytes: 0 };

/** The units of /proc's figures are this machine's own. */
function learnUnits(): void {
  if (units.pageBytes > 0) return;
  units.ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
  units.pageBytes = Number(execFileSync('getconf', ['PAGESIZE'], { encoding: 'utf8' }));
}

function fromProc(): Map<number, GroupUsage> {
  learnUnits();
  const groups = new Map<number, GroupUsage>();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      addStat(groups, readFileSync(`/proc/${entry}/stat`, 'latin1'));
    } catch {
      // It ended between the listing and the reading.
    }
  }
  return groups;
}

/** See proc_pid_stat(5): behind the name, field 5 is the group, 14 and 15 are CPU ticks, 24 the resident pages. */
function addStat(groups: Map<number, GroupUsage>, stat: string): void {
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const ticks = (fields[11] ?? 0) + (fields[12] ?? 0);
  add(groups, fields[2] ?? 0, ticks / units.ticksPerSecond, (fields[21] ?? 0) * units.pageBytes);
}

const run = promisify(execFile);
const ps = (): Promise<{ stdout: string }> => run('ps', ['-axo', 'pgid=,time=,rss=']);

/** Reads `ps -o pgid=,time=,rss=`: time as [[days-]hours:]minutes:seconds, resident size in KiB. */
export function parsePs(text: string): Map<number, GroupUsage> {
  const groups = new Map<number, GroupUsage>();
  for (const line of text.split('\n')) {
    const [group, time, rss] = line.trim().split(/\s+/);
    if (group === undefined || time === undefined || rss === undefined) continue;
    add(groups, Number(group), secondsIn(time), Number(rss) * 1024);
  }
  return groups;
}

function secondsIn(time: string): number {
  const [clock = '', days = '0'] = time.split('-').toReversed();
  return clock.split(':').reduce((total, part) => total * 60 + Number(part), 0) + Number(days) * 86_400;
}

function add(
  groups: Map<number, GroupUsage>,
  group: number,
  cpuSeconds: number,
  residentBytes: number,
): void {
  const sum = groups.get(group) ?? { cpuSeconds: 0, residentBytes: 0 };
  groups.set(group, {
    cpuSeconds: sum.cpuSeconds + cpuSeconds,
    residentBytes: sum.residentBytes + residentBytes,
  });
}
