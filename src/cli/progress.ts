import { isPipelineStatus } from './runs.ts';
import type { Audience, View } from './follow.ts';
import { showPipeline, showRun } from './show-status.ts';
import { shortened } from './columns.ts';
import { printable, type Terminal } from './terminal.ts';

/** Prints what changes as lines, each with the time: for logs and pipes. */
export function lineByLine(terminal: Terminal, write: (text: string) => void): Audience {
  return {
    interruption: terminal.interruption(),
    see(_view, changes) {
      const time = new Date().toISOString().slice(11, 19);
      for (const change of changes) write(`${printable(`${time}  ${change}`)}\n`);
    },
  };
}

/** Draws the run's state anew in place at every look: for a terminal. */
export function inPlace(terminal: Terminal): Audience {
  let drawn = 0;
  return {
    interruption: terminal.interruption(),
    see(view) {
      const lines = screen(view, new Date().toISOString())
        .flatMap((line) => line.split('\n'))
        .map((line) => shortLine(line, terminal.columns))
        .slice(1 - terminal.rows);
      terminal.write(
        `${drawn === 0 ? '' : `\u001b[${drawn}F\u001b[0J`}${lines.map((line) => `${line}\n`).join('')}`,
      );
      drawn = lines.length;
    },
  };
}

function screen({ id, status, children }: View, now: string): string[] {
  if (status === undefined) return [`${id}: starting`];
  if (!isPipelineStatus(status)) return showRun(id, status, now);
  const [childId, child] = [...children].at(-1) ?? [];
  const inner = childId === undefined || child === undefined ? [] : ['', ...showRun(childId, child, now)];
  return [...showPipeline(id, status), ...inner];
}

/** A line that wrapped would spoil the count of lines to go back. */
function shortLine(line: string, width: number): string {
  const indent = /^ */.exec(line)?.[0] ?? '';
  return printable(indent + shortened(line, width - indent.length));
}
