import type { StepState } from '../report.ts';
import type { RunStatus } from '../status.ts';
import { CANARY_HEAD, canaryRows, heldBy, pausedAt } from './canary.ts';
import { escapeMarkdown, markdownTable } from './markdown.ts';

const MARKS: Readonly<Record<StepState, string>> = {
  running: '▶',
  waiting: '⏸',
  done: '✔',
  failed: '✘',
};

/** Markdown for the Temporal UI's current details: where the run is, what it waits for, what to type. */
export function renderStatus(status: RunStatus): string {
  const { release, environment, platform, outcome } = status;
  return [
    `**${platform} ${release.version} → ${environment}**${outcome === undefined ? '' : `: ${outcome}`}`,
    `commit \`${release.commit.slice(0, 12)}\`${evidence(status)}`,
    '',
    ...status.steps.map(
      ({ name, state, detail }) => `- ${MARKS[state]} ${name}${detail === undefined ? '' : `: ${detail}`}`,
    ),
    ...canary(status),
    ...waiting(status),
    ...approvals(status),
    ...status.ignored
      .slice(-5)
      .map(
        ({ signal, by, reason }) =>
          `- ⚠ ${signal}${by === undefined ? '' : ` by ${by}`} did not count: ${reason}`,
      ),
  ].join('\n');
}

function evidence({ evidence: digest }: RunStatus): string {
  return digest === undefined ? '' : `, evidence \`${digest.replace('sha256:', '').slice(0, 12)}\``;
}

function canary({ canary: steps = [], paused, held }: RunStatus): string[] {
  const table = steps.length === 0 ? [] : ['', ...markdownTable(CANARY_HEAD, canaryRows(steps))];
  const notes = [
    ...(held === undefined ? [] : [`**Canary ${escapeMarkdown(heldBy(held))}**`]),
    ...(paused === undefined ? [] : [escapeMarkdown(pausedAt(paused))]),
  ];
  return [...table, ...notes.flatMap((note) => ['', note])];
}

function waiting({ waiting: open }: RunStatus): string[] {
  if (open === undefined) return [];
  const until = open.until === undefined ? '' : ` (until ${open.until})`;
  // None of its lines begins as a fence does.
  const plan = open.terraform === undefined ? [] : ['', '```text', open.terraform, '```'];
  return [...plan, '', `**Waits for ${open.what}**${until}`, '```', ...open.commands, '```'];
}

function approvals({ approvals: counted }: RunStatus): string[] {
  if (counted === undefined || (counted.judged.length === 0 && counted.satisfied)) return [];
  const missing = counted.missing.map(
    ({ group, count, candidates }) => `${count} of ${group} (${candidates.join(', ')})`,
  );
  return [
    '',
    missing.length === 0 ? '**Approvals complete**' : `**Approvals missing:** ${missing.join('; ')}`,
    ...counted.judged.map((a) =>
      a.counts ? `- ✔ ${a.by} for ${a.group}` : `- ⚠ ${a.by} does not count: ${a.reason}`,
    ),
  ];
}
