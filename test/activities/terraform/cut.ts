import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CancelledFailure } from '@temporalio/common';
import { formatIdentity, ownIdentity, parseIdentity } from '../../../src/activities/process/identity.ts';
import type { TerraformInput } from '../../../src/activities/terraform/types.ts';
import type { ChangeSet } from '../../../src/domain/terraform/change-set.ts';
import type { StateBackend } from '../../terraform/state-backend.ts';
import { eventually } from '../process/support.ts';
import { BINARY, asShutdown, inActivity, lastHeartbeat } from './support.ts';
import type { Fixture } from './support.ts';

/** What a heartbeat says of an apply. */
export interface Beat {
  readonly doing: string;
  readonly apply: string;
  readonly created: readonly string[];
  readonly made?: readonly string[];
  readonly lock?: { readonly id: string };
}

/** An apply over `backend` that makes `quick`, then `slow` until `letGo`, then `next`; it notes each time it runs. */
export function slowOver(t: Fixture, backend: StateBackend, more = ''): TerraformInput {
  return t.release(
    `
    resource "terraform_data" "quick" {}
    resource "terraform_data" "slow" {
      depends_on = [terraform_data.quick]
      provisioner "local-exec" {
        command = "echo ran >> ${t.base}/ran; while [ -d ${t.base} -a ! -e ${t.base}/go ]; do sleep 0.05; done"
      }
    }
    resource "terraform_data" "next" {
      input = terraform_data.slow.id
    }
    output "done" {
      value = "yes"
    }
    ${more}`,
    { backend: backend.settings() },
    '1.0.0',
    'http',
  );
}

const started = (t: Fixture) =>
  eventually(() => readFile(join(t.base, 'ran'), 'utf8').catch(() => undefined));
export const letGo = (t: Fixture) => writeFile(join(t.base, 'go'), '');
export const runs = async (t: Fixture) =>
  (await readFile(join(t.base, 'ran'), 'utf8')).split('\n').length - 1;

/** Attempt 1 of an apply, until it is half-way and its lock is known. */
export async function halfWay(t: Fixture, input: TerraformInput & { approved?: ChangeSet }) {
  const activity = inActivity('apply', 1);
  const beat = lastHeartbeat(activity) as () => Beat;
  const applying = t.apply(input, activity);
  // One that fails is for whoever awaits it.
  applying.catch(() => undefined);
  await started(t);
  await eventually(() => beat().lock);
  return { activity, beat, applying };
}

/** An apply that its worker left running half-way. @returns its last heartbeat */
export async function leftRunning(
  t: Fixture,
  input: TerraformInput & { approved?: ChangeSet },
): Promise<Beat> {
  const { activity, beat, applying } = await halfWay(t, input);
  activity.cancel('WORKER_SHUTDOWN', asShutdown);
  const end: unknown = await applying.catch((error: unknown) => error);
  if (!(end instanceof CancelledFailure)) throw new Error(`It ended: ${String(end)}`);
  return beat();
}

/** Kills the group of the apply that runs in the data directory of `t`, or its terraform alone. */
export async function kill(t: Fixture, what: 'group' | 'terraform'): Promise<void> {
  const names = await readdir(t.dataDirectory, { recursive: true });
  const name = names.find((path) => path.endsWith(what === 'group' ? 'apply/wrapper' : 'apply/command'));
  const identity = parseIdentity(await readFile(join(t.dataDirectory, name ?? ''), 'utf8'));
  if (!identity) throw new Error(`Nothing runs in ${t.dataDirectory}`);
  process.kill(what === 'group' ? -identity.pid : identity.pid, 'SIGKILL');
}

/** Makes what an apply of `t` left look as its worker leaves it when it is killed. */
export async function orphan(t: Fixture): Promise<void> {
  const names = await readdir(t.dataDirectory, { recursive: true });
  const owners = names.filter((path) => path.endsWith('/owner'));
  const gone = formatIdentity({ ...ownIdentity(), started: 'earlier' });
  await Promise.all(owners.map((owner) => writeFile(join(t.dataDirectory, owner), gone)));
}

/** Terraform behind a shell that hears no interrupt. */
export async function aDeafTerraform(base: string): Promise<string> {
  const path = join(base, 'deaf');
  const script = `#!/bin/sh\n[ "$1" = apply ] && trap "" INT\n${BINARY} "$@"\n`;
  await writeFile(path, script, { mode: 0o755 });
  return path;
}
