import type { PipelineStatus } from '../status.ts';

const MARKS = { pending: '·', running: '▶', done: '✔', failed: '✘' } as const;

/** Markdown for the Temporal UI's current details of a pipeline. */
export function renderPipeline({ platform, release, environments, outcome }: PipelineStatus): string {
  return [
    `**${platform} ${release.version}**${outcome === undefined ? '' : `: ${outcome}`}`,
    `commit \`${release.commit.slice(0, 12)}\``,
    '',
    ...environments.map(
      ({ environment, state, workflowId }) =>
        `- ${MARKS[state]} ${environment}${workflowId === undefined ? '' : ` (${workflowId})`}`,
    ),
  ].join('\n');
}
