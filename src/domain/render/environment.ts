import type { EnvironmentStatus } from '../ledger.ts';

/** Markdown for the Temporal UI's current details: what serves, who holds the lock, who waits. */
export function renderEnvironment(status: EnvironmentStatus): string {
  const { environment, platform, current, holder, queue, dirty, frozen, history } = status;
  return [
    `**${platform} ${environment}**`,
    current === undefined
      ? '- serves: nothing deployed by Slipway yet'
      : `- serves: **${current.manifest.version}** (commit \`${current.manifest.commit.slice(0, 12)}\`) since ${current.endedAt}`,
    holder === undefined
      ? '- lock: free'
      : `- lock: ${holder.workflowId} (${holder.purpose}) since ${holder.grantedAt}`,
    ...queue.map(({ workflowId, purpose }, i) => `- waiting ${i + 1}: ${workflowId} (${purpose})`),
    ...(dirty === undefined
      ? []
      : [`- **dirty** since ${dirty.since}: ${dirty.reason} (${dirty.workflowId})`]),
    ...(frozen === undefined ? [] : [`- **frozen** by ${frozen.by} since ${frozen.since}: ${frozen.reason}`]),
    '',
    ...history
      .slice(0, 10)
      .map(({ manifest, outcome, endedAt }) => `- ${endedAt} ${manifest.version}: ${outcome}`),
  ].join('\n');
}
