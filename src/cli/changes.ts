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

/** Environments whose run began, and those whose run ended: what happened in between belongs between the two. */
export function pipelineChanges(
  before: PipelineStatus | undefined,
  after: PipelineStatus,
): { readonly begun: string[]; readonly ended: string[] } {
  const changed = after.environments.filter(({ state }, i) => before?.environments[i]?.state !== state);
  const began = ({ environment }: { environment: string }) =>
    before?.environments.find((each) => each.environment === environment)?.state !== 'running';
  return {
    begun: changed
      .filter((each) => each.state !== 'pending' && began(each))
      .map(({ environment, workflowId }) => `${environment}: begins (${workflowId ?? 'no run'})`),
    ended: changed
      .filter(({ state }) => state === 'done' || state === 'failed')
      .map(({ environment, state }) => `${environment}: ${state}`),
  };
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
