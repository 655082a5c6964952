import type { Proposal } from '../../domain/deployment-plan.ts';
import { driftSentence } from '../../domain/render/infrastructure.ts';
import { Ended } from '../failures.ts';
import type { DeploymentRun } from '../run/deployment-run.ts';

/**
 * Asks for the approvals that the environment's policy wants of `proposal`, and waits for them.
 * Approvals that came early count; `changed` says why it is asked again.
 * @throws Ended `Expired`; a rejection cancels the step
 */
export async function approval(
  run: DeploymentRun,
  proposal: Proposal,
  changed: readonly string[] = [],
): Promise<void> {
  run.ballot.present(proposal);
  const { approval: policy, target } = run.policy;
  if (policy === undefined) return;
  const { evidence, terraform, terraformMarkdown } = proposal;
  const digest = proposal.digest.replace('sha256:', '').slice(0, 12);
  await run.step(
    changed.length === 0 ? 'approval' : 'approval again',
    async () => {
      if (changed.length > 0) run.note(`the evidence changed: ${changed.join('; ')}`);
      if (run.ballot.tally()?.satisfied !== true) await ask(run, digest, changed);
    },
    { detail: () => approvers(run) },
  );

  async function ask(asked: DeploymentRun, prefix: string, reasons: readonly string[]): Promise<void> {
    const { expiresAfterSeconds, remindEverySeconds } = policy ?? { expiresAfterSeconds: 0 };
    const expires = Date.now() + expiresAfterSeconds * 1000;
    const what = `approval of ${asked.release.version} for ${target.environment}`;
    const why = reasons.length === 0 ? '' : ` The evidence changed: ${reasons.join('; ')}.`;
    const drift = evidence.drift === undefined ? '' : ` ${driftSentence(evidence.drift)}`;
    await asked.people.notify(
      'waiting',
      `Waits for ${what}, evidence ${prefix}: ${missing(asked)}.${why}${drift}`,
      terraformMarkdown,
    );
    while (asked.ballot.tally()?.satisfied !== true) {
      const left = expires - Date.now();
      if (left <= 0)
        throw new Ended('Expired', `no approval within ${expiresAfterSeconds} s: ${missing(asked)}`);
      const slice = Math.min(left, (remindEverySeconds ?? Number.POSITIVE_INFINITY) * 1000);
      const answered = await asked.people.waitFor(
        {
          what,
          signal: 'approve',
          example: { by: '<you>', evidence: prefix },
          until: new Date(expires).toISOString(),
          ...(terraform && { terraform }),
        },
        () => asked.ballot.tally()?.satisfied === true,
        slice,
      );
      if (!answered && Date.now() < expires) {
        await asked.people.notify(
          'reminder',
          `Still waits for ${what}, evidence ${prefix}: ${missing(asked)}`,
        );
      }
    }
  }
}

function missing(run: DeploymentRun): string {
  const short = run.ballot.tally()?.missing ?? [];
  return short
    .map(({ group, count, candidates }) => `${count} of ${group} (${candidates.join(', ')})`)
    .join('; ');
}

function approvers(run: DeploymentRun): string {
  const counted = run.ballot.tally()?.judged.filter(({ counts }) => counts) ?? [];
  return `by ${counted.map(({ by }) => by).join(', ')}`;
}
