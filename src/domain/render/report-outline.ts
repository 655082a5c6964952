import type { DeploymentReport, PipelineReport, StepRecord } from '../report.ts';
import type { Release } from '../release.ts';
import { span } from '../span.ts';
import type { MetricJudgement } from '../verdict.ts';
import { CANARY_HEAD, canaryRows } from './canary.ts';
import { infrastructureTables } from './infrastructure.ts';

/** A report as titles, facts and tables; every text is plain, each rendering escapes it in its own way. */
export interface Outline {
  readonly title: string;
  readonly outcome: string;
  readonly good: boolean;
  readonly summary: string;
  readonly facts: readonly Fact[];
  readonly tables: readonly Table[];
  /** The report of the environment that failed a pipeline. */
  readonly inner?: Outline;
}

export interface Fact {
  readonly name: string;
  readonly value: string;
  /** Shown in a fixed-width font: hashes, ids. */
  readonly code?: boolean;
}

export interface Table {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export function outlineOf(report: DeploymentReport | PipelineReport): Outline {
  return 'deployed' in report ? pipelineOutline(report) : deploymentOutline(report);
}

function pipelineOutline(report: PipelineReport): Outline {
  const { platform, release, outcome, summary, deployed, failed } = report;
  return {
    title: `${platform} ${release.version}`,
    outcome,
    good: outcome === 'Completed',
    summary,
    facts: [
      { name: 'Commit', value: release.commit, code: true },
      { name: 'Deployed to', value: deployed.length === 0 ? 'no environment' : deployed.join(', ') },
      ...(failed === undefined ? [] : [{ name: 'Failed in', value: failed.environment }]),
    ],
    tables: [],
    ...(failed && { inner: deploymentOutline(failed.report) }),
  };
}

function deploymentOutline(report: DeploymentReport): Outline {
  return {
    title: `${report.platform} ${report.release.version} → ${report.environment}`,
    outcome: report.outcome,
    good: report.outcome === 'Completed',
    summary: report.summary,
    facts: deploymentFacts(report),
    tables: [
      { title: 'Steps', head: ['Step', 'State', 'Took', 'Detail'], rows: report.steps.map(stepRow) },
      { title: 'Canary', head: CANARY_HEAD, rows: canaryRows(report.canary ?? []) },
      { title: 'Taken back', head: ['Step', 'Outcome', 'Detail'], rows: undoneRows(report) },
      { title: 'Did not come back', head: ['Step', 'What'], rows: beyondRecallRows(report) },
      { title: 'Approvals', head: ['By', 'Counts', 'At', 'Comment'], rows: approvalRows(report) },
      { title: 'Signals that did not count', head: ['Signal', 'By', 'At', 'Why'], rows: ignoredRows(report) },
      { title: 'Checks', head: ['Check', 'Passed', 'Found'], rows: checkRows(report) },
      {
        title: 'Metrics',
        head: ['Service', 'Metric', 'Verdict', 'Value', 'Threshold', 'Requests', 'Reason'],
        rows: report.metrics.map(metricRow),
      },
      ...(report.infrastructure ? infrastructureTables(report.infrastructure) : []),
    ].filter(({ rows }) => rows.length > 0),
  };
}

function deploymentFacts(report: DeploymentReport): Fact[] {
  const { release, previous, serving, evidence, reason, startedBy, startedAt, endedAt } = report;
  return [
    { name: 'Commit', value: release.commit, code: true },
    ...(reason === undefined ? [] : [{ name: 'Reason', value: reason }]),
    {
      name: 'Serves now',
      value: serving === undefined ? 'nothing, as far as the run knows' : named(serving),
    },
    {
      name: 'Served before',
      value: previous === undefined ? 'nothing deployed by Slipway' : named(previous),
    },
    { name: 'Started', value: `${startedAt} by ${startedBy}` },
    { name: 'Ended', value: `${endedAt}, after ${duration(startedAt, endedAt)}` },
    ...(evidence === undefined ? [] : [{ name: 'Evidence', value: evidence, code: true }]),
  ];
}

function named({ version, commit }: Release): string {
  return `${version} (${commit.slice(0, 12)})`;
}

function stepRow({ name, state, startedAt, endedAt, detail }: StepRecord): string[] {
  return [name, state, endedAt === undefined ? '' : duration(startedAt, endedAt), detail ?? ''];
}

function undoneRows({ undone }: DeploymentReport): string[][] {
  return undone.map(({ step, outcome, detail }) => [step, outcome, detail]);
}

function beyondRecallRows({ undone }: DeploymentReport): string[][] {
  return undone.flatMap(({ step, beyondRecall = [] }) => beyondRecall.map((line) => [step, line]));
}

function approvalRows({ approvals }: DeploymentReport): string[][] {
  return approvals.map((a) => [
    a.by,
    a.counts ? `yes, for ${a.group}` : `no: ${a.reason}`,
    a.at,
    a.comment ?? '',
  ]);
}

function ignoredRows({ ignored }: DeploymentReport): string[][] {
  return ignored.map(({ signal, by, at, reason }) => [signal, by ?? '', at, reason]);
}

function checkRows({ checks }: DeploymentReport): string[][] {
  return checks.map(({ name, passed, detail }) => [name, passed ? 'yes' : 'NO', detail]);
}

function metricRow({
  service,
  metric,
  outcome,
  value,
  threshold,
  requests,
  reason,
}: MetricJudgement): string[] {
  const unit = (amount: number | undefined) => (amount === undefined ? '' : inUnit(metric, amount));
  return [
    service,
    metric,
    outcome,
    unit(value),
    unit(threshold),
    requests === undefined ? '' : String(requests),
    reason,
  ];
}

/** Percent for what already is, and for shares as well. */
function inUnit(metric: MetricJudgement['metric'], amount: number): string {
  const percent = metric === 'cpu' || metric === 'memory' ? amount : amount * 100;
  return `${Number(percent.toFixed(2))} %`;
}

/** @returns such as `45 s`, `12 min 3 s`, `3 h 5 min`, `8 d 2 h`; under ten seconds with a decimal */
export function duration(from: string, to: string): string {
  const seconds = Math.max(0, (Date.parse(to) - Date.parse(from)) / 1000);
  return seconds < 10 ? `${seconds.toFixed(1)} s` : span(seconds);
}
