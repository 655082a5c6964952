import type { PlannedInfrastructure } from '../planned-infrastructure.ts';
import type { ChangeSet } from '../terraform/change-set.ts';
import type { Drift } from '../terraform/drift.ts';
import type { DriftReport } from '../deployment-plan.ts';
import { escapeMarkdown, markdownTable } from './markdown.ts';
import type { Table } from './report-outline.ts';

/** What Terraform was to do, and what others had done before, as tables of plain text. */
export function infrastructureTables({ counts, changes, omitted, drift }: PlannedInfrastructure): Table[] {
  const rows = changes.map(({ address, actions, attributes }) => [
    actions.join('+'),
    address,
    attributes.join(', '),
  ]);
  const rest = omitted === 0 ? [] : [['', more(omitted), '']];
  return [
    {
      title: `Terraform: ${countsText(counts)}`,
      head: ['Action', 'Resource', 'Attributes'],
      rows: [...rows, ...rest],
    },
    { title: 'Changed outside of Terraform', head: ['Resource', 'How'], rows: drift ? driftRows(drift) : [] },
  ];
}

/** A row for each resource: its address, and what became of it. */
export function driftRows({ resources, omitted }: Drift): string[][] {
  const rows = resources.map(({ address, kind, attributes }) => [
    address,
    attributes.length === 0 ? kind : `${kind}: ${attributes.join(', ')}`,
  ]);
  return omitted === 0 ? rows : [...rows, [more(omitted), '']];
}

/** Resources that a sentence names. */
const NAMED = 5;

/** In a sentence, such as `Changed outside of Terraform: aws_sns_topic.a (changed: tags.owner).` */
export function driftSentence({ resources, omitted }: Drift): string {
  const rows = driftRows({ resources: resources.slice(0, NAMED), omitted: 0 });
  const left = omitted + Math.max(0, resources.length - NAMED);
  const named = rows.map(([address, how]) => `${address} (${how})`);
  return `Changed outside of Terraform: ${[...named, ...(left === 0 ? [] : [more(left)])].join(', ')}.`;
}

/** What was found of an environment's drift, for the Temporal UI. */
export function driftMarkdown({ environment, release, drift, heldBy }: DriftReport): string {
  const where = escapeMarkdown(`${environment}, which serves ${release.version}`);
  const rows = driftRows(drift);
  return [
    `**${where}: ${rows.length === 0 ? 'nothing was changed outside of Terraform' : 'changed outside of Terraform'}**`,
    ...(heldBy === undefined
      ? []
      : ['', escapeMarkdown(`Held by ${heldBy}: some of this may be that run's own change.`)]),
    ...(rows.length === 0 ? [] : ['', ...markdownTable(['Resource', 'How'], rows)]),
  ].join('\n');
}

/** @returns such as `1 to create, 2 to update, 0 to replace, 0 to delete` */
export function countsText({ create, update, replace, delete: gone }: ChangeSet['counts']): string {
  return `${create} to create, ${update} to update, ${replace} to replace, ${gone} to delete`;
}

/** @returns such as `... and 4,960 more` */
export function more(count: number): string {
  return `... and ${count.toLocaleString('en-US')} more`;
}

/** The first `most` of `lines`, and how many more there are. */
export function firstOf(lines: readonly string[], most: number): readonly string[] {
  const left = lines.length - most;
  return left > 0 ? [...lines.slice(0, most), more(left)] : lines;
}
