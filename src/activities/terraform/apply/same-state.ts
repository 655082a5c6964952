import type { Origin } from '../../../domain/terraform/change-set.ts';
import type { Target } from '../../../domain/policy.ts';
import { planRefused } from '../command/errors.ts';

const NAME = 'terraform: the way back is planned for the state that was changed';

/**
 * An older configuration may keep its state elsewhere: there all would look as it was, with nothing to take back.
 * @param from what was changed last; undefined when that isn't known
 * @throws non-retryable `PlanRefused`
 */
export function demandSameState(target: Target, from: Origin | undefined, planned: Origin): void {
  if (from === undefined) return;
  const differ = (['backend', 'workspace', 'location'] as const).some((fact) => from[fact] !== planned[fact]);
  if (!differ) return;
  const detail = `Refused: its configuration keeps its state in ${place(planned)}, and what is to be taken back is in ${place(from)}. Go back to a release of the same backend, or take the changes back by hand with terraform.`;
  throw planRefused(target, [{ name: NAME, passed: false, detail }], []);
}

function place({ backend, workspace, location }: Origin): string {
  return `backend ${backend}, workspace ${workspace}, at ${location.slice(0, 'sha256:'.length + 12)}`;
}
