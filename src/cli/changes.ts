import type { StepRecord } from '../domain/report.ts';
import { canaryLook, heldBy, pausedAt, verdict, why } from '../domain/render/canary.ts';
import { duration } from '../domain/render/report-outline.ts';
import type { PipelineStatus, RunStatus } from '../domain/status.ts';
import { MARKS, answers, showMissing } from './show-status.ts';

/** What is new in a run since it was looked at last, a line each: steps that began or ended, a canary's looks, questions, approvals, what did not count. */
export function runChanges(id: string, before: RunStatus | undefined, after: RunStatus): string[] {
  const place = after.environment;
  return [
    ...after.steps.flatMap((step, i) => stepChanges(before?.steps[i], step)),
    ...pauseChanges(before, after),
    ...canaryChanges(before?.canary, after.canary),
    ...holdChanges(before, after),
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

/** Each new look, and what became of each step, once. Of one that passed the look says enough. */
function canaryChanges(before: RunStatus['canary'] = [], after: RunStatus['canary'] = []): string[] {
  return after.flatMap((step) => {
    const last = before.find((each) => each.service === step.service && each.startedAt === step.startedAt);
    const reasons = step.verdict === 'pass' || step.reasons.length === 0 ? '' : `: ${why(step)}`;
    return [
      ...(step.looks > (last?.looks ?? 0) ? [`  ${canaryLook(step)}`] : []),
      ...(step.verdict === last?.verdict
        ? []
        : [`${verdict(step)}: ${step.service} at ${step.weight} %${reasons}`]),
    ];
  });
}

/** Where the traffic is now, and until when it can stay there. */
function pauseChanges(before: RunStatus | undefined, { paused }: RunStatus): string[] {
  const line = paused && pausedAt(paused);
  return line === undefined || line === (before?.paused && pausedAt(before.paused)) ? [] : [`  ${line}`];
}

function holdChanges(before: RunStatus | undefined, { held, paused, outcome }: RunStatus): string[] {
  if (held === undefined)
    return before?.held !== undefined && outcome === undefined ? ['▶ no longer held'] : [];
  if (held.since === before?.held?.since) return [];
  const until = paused === undefined ? '' : ` (ECS puts the old version back at ${paused.expiresAt})`;
  return [`⏸ ${heldBy(held)}${until}`];
}

/**
 * What `after` is compared with at the next look. A run that looks around while it waits asks nothing for a moment, then the same
 * again: a question with an end is kept in mind, so that it is told once.
 */
export function remembered(before: RunStatus | undefined, after: RunStatus): RunStatus {
  const open = before?.waiting;
  return after.waiting === undefined && open?.until !== undefined ? { ...after, waiting: open } : after;
}

function questionChanges(id: string, before: RunStatus | undefined, after: RunStatus): string[] {
  const { waiting, approvals } = after;
  if (waiting === undefined || (before !== undefined && asksTheSame(before, after))) return [];
  const missing =
    waiting.signal === 'approve' && approvals !== undefined ? ` (${showMissing(approvals)})` : '';
  const until = waiting.until === undefined ? '' : `, until ${waiting.until}`;
  return [
    `⏸ waits for ${waiting.what}${missing}${until}`,
    ...answers(id, after).map((line) => `    ${line}`),
  ];
}

/** The same words about other evidence, or until another time, are another question. */
function asksTheSame(before: RunStatus, after: RunStatus): boolean {
  const [a, b] = [before.waiting, after.waiting];
  return a?.what === b?.what && a?.until === b?.until && before.evidence === after.evidence;
}
