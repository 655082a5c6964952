import type { StepRecord } from '../domain/report.ts';
import { duration } from '../domain/render/report-outline.ts';
import type { PipelineStatus, RunStatus } from '../domain/status.ts';
import { MARKS, answers, showMissing } from './show-status.ts';
import { questionOf } from './question.ts';

/** What is new in a run since it was looked at last, a line each: steps that began or ended, questions, approvals, what did not count. */
export function runChanges(id: string, before: RunStatus | undefined, after: RunStatus): string[] {
  const place = after.environment;
  return [
    ...after.steps.flatMap((step, i) => stepChanges(before?.steps[i], step)),
    ...approvalChanges(before, after),
    ...after.ignored
      .slice(before?.ignored.length ?? 0)
      .map(
        ({ signal, by, reason }) =>
          `⚠ ${signal}${by === undefined ? '' : ` by ${by}`} did not count: ${reason}`,
      ),
    ...questionChanges(id, before, after),
  ].map((line) => `${place}: ${line}`);
}

export function pipelineChanges(before: PipelineStatus | undefined, after: PipelineStatus): string[] {
  return after.environments.flatMap(({ environment, state, workflowId }, i) => {
    if (before?.environments[i]?.state === state || state === 'pending') return [];
    return [
      `${environment}: ${state}${state === 'running' && workflowId !== undefined ? ` (${workflowId})` : ''}`,
    ];
  });
}

function stepChanges(before: StepRecord | undefined, after: StepRecord): string[] {
  const { name, state, startedAt, endedAt, detail } = after;
  const said = detail === undefined ? '' : `: ${detail}`;
  if (before?.endedAt !== undefined) return [];
  if (endedAt !== undefined) return [`${MARKS[state]} ${name}${said} (${duration(startedAt, endedAt)})`];
  if (before === undefined) return [`▶ ${name}${said}`];
  return before.detail === detail || detail === undefined ? [] : [`  ${name}${said}`];
}

function approvalChanges(before: RunStatus | undefined, after: RunStatus): string[] {
  const { approvals } = after;
  if (approvals === undefined) return [];
  const said = new Set(before?.approvals?.judged.map((a) => `${a.by} ${a.at} ${a.counts}`));
  const fresh = approvals.judged.filter((a) => !said.has(`${a.by} ${a.at} ${a.counts}`));
  const lines = fresh.map((a) =>
    a.counts ? `✔ ${a.by} approves for ${a.group}` : `⚠ ${a.by}'s approval does not count: ${a.reason}`,
  );
  const left =
    approvals.missing.length === 0 ? 'approvals complete' : `still missing: ${showMissing(approvals)}`;
  return fresh.length === 0 ? [] : [...lines, left];
}

function questionChanges(id: string, before: RunStatus | undefined, after: RunStatus): string[] {
  const { waiting, approvals } = after;
  if (waiting === undefined || waiting.what === before?.waiting?.what) return [];
  const question = questionOf(after);
  const missing = question === 'approve' && approvals !== undefined ? ` (${showMissing(approvals)})` : '';
  const commands = question === undefined ? waiting.commands : answers(id, question, after.evidence);
  return [`⏸ waits for ${waiting.what}${missing}`, ...commands.map((line) => `    ${line}`)];
}
