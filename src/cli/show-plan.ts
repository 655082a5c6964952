import type { Proposal } from '../domain/deployment-plan.ts';
import type { Evidence } from '../domain/evidence.ts';
import { countsText, driftRows, more } from '../domain/render/infrastructure.ts';
import { span } from '../domain/span.ts';
import type { Check } from '../domain/verdict.ts';
import { columns } from './columns.ts';
import { shortDigest } from './show-status.ts';

/** A checklist, what did not pass last: there it is seen. */
export function showChecks(checks: readonly Check[]): string[] {
  const ordered = checks.toSorted((a, b) => Number(b.passed) - Number(a.passed));
  return columns(ordered.map(({ name, passed, detail }) => [passed ? '  ✔' : '  ✘', name, detail]));
}

/** All that an approver agrees to, for a terminal. */
export function showEvidence(evidence: Evidence, digest: string): string[] {
  const { manifest, environment, running, changeSet, drift } = evidence;
  return [
    `Evidence of ${manifest.version} for ${environment}`,
    `  commit   ${manifest.commit}`,
    `  runs now ${running === undefined ? 'nothing: the first deployment, whose undo is desired count 0' : `${running.version} (${shortDigest(running.commit)})`}`,
    ...canary(evidence),
    ...part('Services', services(evidence)),
    ...(changeSet === undefined ? ['', 'Terraform: none'] : part('Terraform', changes(changeSet))),
    ...(drift === undefined ? [] : part('Changed outside of Terraform', indented(driftRows(drift)))),
    ...part(
      'Settings',
      evidence.settings.map(({ key, parameter, value }) => [`  ${key}`, parameter, shortDigest(value)]),
    ),
    ...part(
      'References',
      evidence.references.map(({ kind, name, version }) => [`  ${kind} ${name}`, `version ${version}`]),
    ),
    '',
    `Policy    ${shortDigest(evidence.policyDigest)}`,
    `Evidence  ${shortDigest(digest)}  (${digest})`,
  ];
}

/** What Terraform would do, with the values, for a terminal; nothing for an environment without it. */
export function showTerraform({ terraform }: Pick<Proposal, 'terraform'>): string[] {
  return terraform === undefined
    ? []
    : ['', 'Terraform plan', ...terraform.split('\n').map((line) => `  ${line}`)];
}

/** How the traffic is shifted, which services go so, and when ECS goes back without being told. */
function canary({ canary: schedule, services: planned }: Evidence): string[] {
  if (schedule === undefined) return [];
  const { steps, bakeSeconds, deadMan } = schedule;
  const names = planned.filter(({ rollout }) => rollout === 'canary').map(({ service }) => service);
  return [
    `  canary   ${names.join(', ')}: ${steps.map((step) => `${step} %`).join(', ')} of the traffic, each judged for ${span(bakeSeconds)}`,
    `  dead man ECS puts the old version back by itself when a step is left alone for ${span(deadMan.stepMinutes * 60)}, 100 % for ${span(deadMan.lastMinutes * 60)}`,
  ];
}

function services({ services: planned }: Evidence): string[][] {
  return planned.map(({ service, rollout, image, taskDefinition, current }) => [
    `  ${service}`,
    rollout,
    `image ${shortDigest(image)}`,
    `task definition ${shortDigest(taskDefinition)}`,
    current === undefined ? 'new' : `now ${current.split('/').at(-1) ?? current}`,
  ]);
}

function changes({ counts, changes: planned, unlisted }: NonNullable<Evidence['changeSet']>): string[][] {
  return [
    [`  ${countsText(counts)}`],
    ...planned.map(({ address, actions, attributes }) => [
      `  ${actions.join('+')} ${address}${attributes.length === 0 ? '' : `: ${attributes.join(', ')}`}`,
    ]),
    ...(unlisted === undefined ? [] : [[`  ${more(unlisted.count)}`]]),
  ];
}

function indented(rows: readonly (readonly string[])[]): string[][] {
  return rows.map(([first, ...rest]) => [`  ${first}`, ...rest]);
}

function part(title: string, rows: readonly (readonly string[])[]): string[] {
  return rows.length === 0 ? [] : ['', title, ...columns(rows)];
}
