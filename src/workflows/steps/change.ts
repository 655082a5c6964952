/** The steps that make a release's images and settings ready, each with what takes it back. */
import { activities } from '../activities.ts';
import type { DeploymentRun } from '../run/deployment-run.ts';
import type { Undo } from '../run/saga.ts';
import type { Prepared } from './prepare.ts';

/** Puts the environment's tag on the digests that were tested. Nothing is rebuilt, no tag is moved. */
export async function promote(run: DeploymentRun, { manifest }: Prepared): Promise<void> {
  const { registry, services, target } = run.policy;
  const { proof: lock } = run.lock;
  const tag = `${target.environment}-${manifest.version}`;
  const input = { registry, manifest, tag };
  const there = await activities('read', `who has ${tag}?`).existingPromotions({ ...input, services });
  const added = services.filter(({ name }) => !there.includes(name));
  if (added.length === 0) return;
  await run.step(
    'images',
    () => activities('write', `tag ${tag}`).promoteImages({ ...input, services: added, lock }),
    {
      detail: (tagged) => `${tag} on ${tagged.length} images`,
      undo: async () => {
        const untag = activities('undoWrite', `take ${tag} off`);
        const untagged = await untag.withdrawPromotion({ ...input, services: added, lock });
        return undone(untagged, (names) => `${tag} taken off ${names.join(', ')}`);
      },
    },
  );
}

/** Writes the release's settings to parameters of its own, so that no running task ever reads another value. */
export async function settings(run: DeploymentRun, { settings: planned }: Prepared): Promise<void> {
  const { target, settings: file } = run.policy;
  if (planned.length === 0) return;
  const { release } = run;
  const { proof: lock } = run.lock;
  const all = planned.map(({ parameter }) => parameter);
  const there = await activities('read', 'settings that are there').existingSettings({ target, names: all });
  const names = all.filter((name) => !there.includes(name));
  const input = { target, release, lock, ...(file && { file }) };
  await run.step('settings', () => activities('write', `write ${all.length} settings`).writeSettings(input), {
    detail: (written) => `${written.length} parameters of ${release.version}`,
    undo: async () => {
      if (names.length === 0) return undone([], String);
      const deleted = await activities('undoWrite', 'delete the settings').deleteSettings({
        target,
        names,
        lock,
      });
      return undone(deleted, () => `${deleted.length} parameters deleted`);
    },
  });
}

function undone(
  names: readonly string[],
  detail: (names: readonly string[]) => string,
): Awaited<ReturnType<Undo>> {
  return names.length === 0
    ? { outcome: 'nothing to undo', detail: 'nothing was there' }
    : { outcome: 'undone', detail: detail(names) };
}
