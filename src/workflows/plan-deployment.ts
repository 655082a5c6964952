import type { DeployToEnvironmentInput, DeploymentPlan } from '../contract.ts';
import { proposalOf } from '../domain/deployment-plan.ts';
import { parseDeployToEnvironmentInput } from '../domain/requests.ts';
import { accepted } from './failures.ts';
import { DeploymentRun } from './run/deployment-run.ts';
import { Inbox } from './run/inbox.ts';
import { whatItTakes } from './starter.ts';
import { prepare } from './steps/prepare.ts';

/** All that a deployment would do, changing nothing: the checklist, the plan and the evidence. */
export async function planDeployment(input: DeployToEnvironmentInput): Promise<DeploymentPlan> {
  const inbox = new Inbox();
  inbox.listen();
  const { environment, versionTag, commitHash, ...by } = accepted(parseDeployToEnvironmentInput(input));
  const { policy, startedBy } = await whatItTakes(environment, by);
  const release = { version: versionTag, commit: commitHash };
  const run = new DeploymentRun({ policy, release, startedBy, inbox });
  return await run.look(async () => {
    const proposal = proposalOf(await prepare(run));
    return { ...proposal, checks: run.checks };
  });
}
