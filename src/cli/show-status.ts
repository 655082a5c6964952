import type { Tally } from '../domain/approval.ts';
import { CANARY_HEAD, canaryRows, heldBy, pausedAt } from '../domain/render/canary.ts';
import { duration } from '../domain/render/report-outline.ts';
import type { StepRecord, StepState } from '../domain/report.ts';
import { DECISIONS } from '../domain/requests.ts';
import type { PipelineStatus, RunStatus } from '../domain/status.ts';
import { columns } from './columns.ts';
import { questionOf } from './question.ts';

export const MARKS: Readonly<Record<StepState, string>> = {
  running: '▶',
  waiting: '⏸',
  done: '✔',
  failed: '✘',
};
const PIPELINE_MARKS = { pending: '·', running: '▶', done: '✔', failed: '✘' } as const;

/** A run for a terminal: where it is, what it waits for, who approved, what to type next. */
export function showRun(id: string, status: RunStatus, now: string): string[] {
  const { platform, release, environment, outcome, evidence } = status;
  return [
    `${platform} ${release.version} → ${environment}: ${outcome ?? stateOf(status)}`,
    `  run       ${id}`,
    `  commit    ${release.commit}`,
    ...(evidence === undefined ? [] : [`  evidence  ${shortDigest(evidence)}`]),
    '',
    ...columns(
      status.steps.map((step) => [`  ${MARKS[step.state]} ${step.name}`, took(step, now), step.detail ?? '']),
    ),
    ...showCanary(status.canary),
    ...showApprovals(status.approvals),
    ...showIgnored(status),
    ...showPause(id, status, now),
    ...showWaiting(id, status),
  ];
}

export function showPipeline(id: string, status: PipelineStatus): string[] {
  const { platform, release, environments, outcome } = status;
  return [
    `${platform} ${release.version}: ${outcome ?? 'running'}`,
    `  run     ${id}`,
    `  commit  ${release.commit}`,
    '',
    ...columns(
      environments.map(({ environment, state, workflowId }) => [
        `  ${PIPELINE_MARKS[state]} ${environment}`,
        state,
        workflowId ?? '',
      ]),
    ),
  ];
}

/** In a few words, such as `waiting: approval of 1.4.0 for production` or `services web`. */
export function stateOf({ phase, waiting, outcome }: RunStatus): string {
  if (outcome !== undefined) return outcome;
  return waiting === undefined ? phase : `waiting: ${waiting.what}`;
}

export function shortDigest(digest: string): string {
  return digest.replace(/^sha256:/, '').slice(0, 12);
}

/** @returns such as `1 of release-managers (alice, bob); 1 of qa (carol)` */
export function showMissing({ missing }: Tally): string {
  return missing
    .map(({ group, count, candidates }) => `${count} of ${group} (${candidates.join(', ') || 'nobody can'})`)
    .join('; ');
}

function showCanary(steps: RunStatus['canary'] = []): string[] {
  if (steps.length === 0) return [];
  const head = CANARY_HEAD.map((title) => title.toLowerCase());
  return ['', '  Canary:', ...columns([head, ...canaryRows(steps)], '    ')];
}

function showPause(id: string, { paused, held, waiting }: RunStatus, now: string): string[] {
  const goOn = waiting?.signal === 'resume' ? '' : ` Go on: slipway resume ${id}`;
  const lines = [
    ...(held === undefined ? [] : [`The canary is ${heldBy(held)}.${goOn}`]),
    ...(paused === undefined ? [] : [`${pausedAt(paused)} (in ${duration(now, paused.expiresAt)})`]),
  ];
  return lines.length === 0 ? [] : ['', ...lines.map((line) => `  ${line}`)];
}

function showApprovals(tally: Tally | undefined): string[] {
  if (tally === undefined) return [];
  return [
    '',
    tally.missing.length === 0 ? '  Approvals: complete' : `  Approvals: missing ${showMissing(tally)}`,
    ...tally.judged.map((a) =>
      a.counts
        ? `    ✔ ${a.by} for ${a.group}${a.comment === undefined ? '' : `: ${a.comment}`}`
        : `    ✘ ${a.by} does not count: ${a.reason}`,
    ),
  ];
}

function showIgnored({ ignored }: RunStatus): string[] {
  const lines = ignored.map(
    ({ signal, by, reason }) => `    ${signal}${by === undefined ? '' : ` by ${by}`}: ${reason}`,
  );
  return lines.length === 0 ? [] : ['', '  Did not count:', ...lines];
}

function showWaiting(id: string, status: RunStatus): string[] {
  const { waiting } = status;
  if (waiting === undefined) return [];
  const until = waiting.until === undefined ? '' : `, until ${waiting.until}`;
  const commands = [...answers(id, status), ...waiting.commands.map((line) => `or  ${line}`)];
  const plan = waiting.terraform?.split('\n').map((line) => `    ${line}`);
  return [
    ...(plan === undefined ? [] : ['', '  Terraform plan:', ...plan]),
    '',
    `  Waits for ${waiting.what} (since ${waiting.since}${until}). Type next:`,
    ...commands.map((line) => `    ${line}`),
  ];
}

/** The commands that answer what a run asks; none when it asks nobody. */
export function answers(id: string, status: RunStatus): string[] {
  switch (questionOf(status)) {
    case 'approve': {
      const { evidence } = status;
      const digest = evidence === undefined ? '' : ` --evidence ${shortDigest(evidence)}`;
      return [`slipway approve ${id}${digest}`, `slipway reject ${id} --reason WHY`];
    }
    case 'decide':
      return (status.waiting?.actions ?? DECISIONS).map(
        (action) => `slipway decide ${id} --action ${action}`,
      );
    case 'recordManualTest':
      return [`slipway test-result ${id} --passed`, `slipway test-result ${id} --failed --notes WHY`];
    case 'resume':
      return [`slipway resume ${id}`, `slipway promote ${id} --reason WHY`];
    case undefined:
      return [];
  }
}

function took({ startedAt, endedAt }: StepRecord, now: string): string {
  return duration(startedAt, endedAt ?? now);
}
