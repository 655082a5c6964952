import type { DeploymentRecord, EnvironmentStatus } from './ledger.ts';
import type { RollbackInput } from './requests.ts';
import type { Origin } from './terraform/change-set.ts';

export type RollbackTarget =
  | { readonly kind: 'possible'; readonly record: DeploymentRecord }
  | { readonly kind: 'refused'; readonly reason: string };

/** The state of what a rollback leaves, as far as the ledger knows: of what was tried last where that left the environment dirty. */
export function originLeft({
  history,
  current,
  dirty,
}: Pick<EnvironmentStatus, 'history' | 'current' | 'dirty'>): Origin | undefined {
  const tried = history.find(({ manifest }) => manifest.version === dirty?.version);
  return tried?.terraformOrigin ?? current?.terraformOrigin;
}

/** What going back to `target` does not bring back, of all releases that came after it and were not taken back: a line each. */
export function lostOnTheWay(
  target: DeploymentRecord,
  { history }: Pick<EnvironmentStatus, 'history'>,
): string[] {
  const at = history.findIndex(({ runId }) => runId === target.runId);
  return history
    .slice(0, Math.max(at, 0))
    .filter(({ outcome }) => outcome === 'Completed' || outcome === 'RollbackIncomplete')
    .flatMap(({ beyondRecall = [] }) => beyondRecall);
}

/** Whether the ledger knows `targetVersion` as a release that once was live here, and `failedVersion` as what to leave. */
export function judgeRollback(
  { environment, failedVersion, targetVersion }: RollbackInput,
  { history, current, dirty }: Pick<EnvironmentStatus, 'history' | 'current' | 'dirty'>,
): RollbackTarget {
  const live = history.filter(({ outcome }) => outcome === 'Completed');
  const record = live.find(({ manifest }) => manifest.version === targetVersion);
  if (record === undefined) {
    const known = [...new Set(live.map(({ manifest }) => manifest.version))];
    const reachable =
      known.length === 0 ? 'no release has been deployed here yet' : `it knows ${known.join(', ')}`;
    return {
      kind: 'refused',
      reason: `${targetVersion} was never live in ${environment} as far as its ledger goes: ${reachable}`,
    };
  }
  const failed = [current?.manifest.version, dirty?.version, history[0]?.manifest.version];
  if (!failed.includes(failedVersion)) {
    return {
      kind: 'refused',
      reason: `${failedVersion} is neither what runs in ${environment} nor what was tried last: ${current?.manifest.version ?? 'nothing'} runs`,
    };
  }
  if (dirty === undefined && current?.manifest.version === targetVersion) {
    return { kind: 'refused', reason: `${targetVersion} is what runs in ${environment} already` };
  }
  return { kind: 'possible', record };
}
