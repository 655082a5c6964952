import type { DeploymentPlan } from '../deployment-plan.ts';
import type { Evidence } from '../evidence.ts';
import { span } from '../span.ts';
import { codeSpan, escapeMarkdown, markdownTable } from './markdown.ts';

/** All that a deployment would do as Markdown (GitHub's), for a comment in a pull request. */
export function planMarkdown({ evidence, digest, checks, terraformMarkdown }: DeploymentPlan): string {
  const { manifest, environment } = evidence;
  const lines = [
    `## ${escapeMarkdown(`${manifest.version} → ${environment}`)}`,
    '',
    'It could be deployed. Nothing was changed.',
    '',
    ...facts(evidence, digest),
    ...tables(evidence),
    ...(terraformMarkdown === undefined ? [] : ['', terraformMarkdown]),
    '',
    `<details><summary>Checks passed: ${checks.length}</summary>`,
    '',
    ...markdownTable(
      ['Check', 'Found'],
      checks.map(({ name, detail }) => [name, detail]),
    ),
    '',
    '</details>',
  ];
  return `${lines.join('\n')}\n`;
}

function facts({ manifest, running, canary, services }: Evidence, digest: string): string[] {
  const now = running === undefined ? 'nothing: the first deployment' : named(running);
  const names = services.filter(({ rollout }) => rollout === 'canary').map(({ service }) => service);
  return [
    `- **Commit:** ${codeSpan(manifest.commit)}`,
    `- **Runs now:** ${escapeMarkdown(now)}`,
    ...(canary === undefined
      ? []
      : [
          `- **Canary:** ${escapeMarkdown(names.join(', '))}: ${canary.steps.join(' %, ')} %, each judged for ${span(canary.bakeSeconds)}`,
        ]),
    `- **Evidence:** ${codeSpan(digest)}`,
  ];
}

function tables({ services, settings, references }: Evidence): string[] {
  return [
    ...table(
      'Services',
      ['Service', 'Rollout', 'Image', 'Task definition', 'Runs now'],
      services.map((change) => [
        change.service,
        change.rollout,
        short(change.image),
        short(change.taskDefinition),
        change.current?.split('/').at(-1) ?? 'new',
      ]),
    ),
    ...table(
      'Settings',
      ['Setting', 'Parameter', 'Value'],
      settings.map(({ key, parameter, value }) => [key, parameter, short(value)]),
    ),
    ...table(
      'References',
      ['Kind', 'Name', 'Version'],
      references.map(({ kind, name, version }) => [kind, name, version]),
    ),
  ];
}

function table(title: string, head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return rows.length === 0 ? [] : ['', `### ${title}`, '', ...markdownTable(head, rows)];
}

function named({ version, commit }: { readonly version: string; readonly commit: string }): string {
  return `${version} (${commit.slice(0, 12)})`;
}

/** Of a digest as much as people compare. */
function short(digest: string): string {
  return digest.replace(/^sha256:/, '').slice(0, 12);
}
