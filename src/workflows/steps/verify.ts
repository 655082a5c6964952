import type { ManualTestPayload } from '../../domain/requests.ts';
import type { Manifest } from '../../domain/release.ts';
import type { Check, MetricJudgement } from '../../domain/verdict.ts';
import type { VerificationInput } from '../../activities/verification/types.ts';
import { activities } from '../activities.ts';
import { demandPassed, Ended } from '../failures.ts';
import type { DeploymentRun } from '../run/deployment-run.ts';
import { now } from '../run/time.ts';
import type { Deployed } from './roll-out.ts';
import { runSuite } from './test-suite.ts';

/**
 * Verifies what was deployed, under the lock: status, served versions before and after the tests, metrics, automated and
 * manual tests, and then the deployment window.
 * @throws Ended `RolledBack` with what did not pass
 */
export async function verify(run: DeploymentRun, manifest: Manifest, deployed: Deployed): Promise<void> {
  const { target, services, verification } = run.policy;
  const { outputs, taskDefinitions, rolledOutSince, paused } = deployed;
  const input = { target, services, manifest, outputs, taskDefinitions, paused };
  const since = now();
  await run.step(
    'verification',
    async () => {
      await passAll(run, () => activities('read', 'service status').checkServiceStatus(input));
      await passAll(run, () => activities('read', 'served versions').checkServedVersions(input));
    },
    { detail: () => `${services.length} services steady, each serves ${manifest.version}` },
  );
  for (const suite of verification.tests) await runSuite(run, suite, outputs);
  await manualTest(run);
  await run.step(
    'metrics',
    async () => {
      await passAll(run, () => activities('read', 'served versions').checkServedVersions(input));
      judged(
        run,
        await activities('read', 'metrics').judgeMetrics({ ...input, metrics: verification.metrics, since }),
      );
    },
    { detail: () => countOutcomes(run.metrics) },
  );
  const watched = { ...input, since, rolledOutSince };
  const { soakSeconds } = verification;
  if (soakSeconds > 0) await watch(run, 'deployment window', soakSeconds, watched);
  await demandJudged(run, watched);
}

/** What went back is verified by its status and the versions that it serves. */
export async function verifyRestored(
  run: DeploymentRun,
  manifest: Manifest,
  restored: Pick<Deployed, 'outputs' | 'taskDefinitions'>,
): Promise<void> {
  const { target, services } = run.policy;
  const input = { target, services, manifest, ...restored };
  await run.step('verification', async () => {
    await passAll(
      run,
      () => activities('read', 'service status').checkServiceStatus(input),
      'RollbackIncomplete',
    );
    await passAll(
      run,
      () => activities('read', 'served versions').checkServedVersions(input),
      'RollbackIncomplete',
    );
  });
}

type Watched = VerificationInput & { readonly since: string; readonly rolledOutSince: string };

async function watch(run: DeploymentRun, name: string, seconds: number, input: Watched): Promise<void> {
  const { metrics } = run.policy.verification;
  const { allowedTaskDeaths } = run.policy.rollout;
  await run.step(
    name,
    async () => {
      const watching = activities('process', `watch for ${seconds} s`, seconds);
      const seen = await watching.watchWindow({ ...input, metrics, allowedTaskDeaths, seconds });
      judged(run, seen.metrics);
      passed(run, seen.checks);
    },
    { detail: () => `${seconds} s watched; metrics: ${countOutcomes(run.metrics)}` },
  );
}

/**
 * What went by canary does not pass on what could not be judged: it is watched for as long as the policy gathers metrics, and
 * then the policy for inconclusive steps says what becomes of it.
 */
async function demandJudged(run: DeploymentRun, input: Watched): Promise<void> {
  const canaries = input.paused?.map(({ service }) => service) ?? [];
  const open = () =>
    run.metrics.filter(
      ({ service, outcome, threshold }) =>
        canaries.includes(service) && outcome === 'not judged' && threshold !== undefined,
    );
  while (open().length > 0) {
    await watch(run, 'metrics, once more', run.policy.verification.metrics.windowSeconds, input);
    if (open().length === 0) return;
    const reasons = open().map(({ service, metric, reason }) => `${service} ${metric}: ${reason}`);
    const what = `the release could not be judged: ${reasons.join('; ')}`;
    if (run.policy.rollout.canary?.onInconclusive !== 'ask') throw new Ended('RolledBack', what);
    const { action, by } = await run.people.decide(what, ['continue', 'retry', 'rollback']);
    if (action === 'rollback') throw new Ended('RolledBack', `${what} (${by} decided to go back)`);
    if (action === 'continue') return;
  }
}

async function manualTest(run: DeploymentRun): Promise<void> {
  const { manualTest: wanted } = run.policy.verification;
  if (wanted === undefined) return;
  await run.step(
    'manual test',
    async () => {
      const expires = new Date(Date.now() + wanted.expiresAfterSeconds * 1000).toISOString();
      run.inbox.forgetManualTest();
      await run.people.notify(
        'waiting',
        `Waits for the manual test of ${run.release.version}: ${wanted.instructions}`,
      );
      const answered = await run.people.waitFor(
        {
          what: `the manual test: ${wanted.instructions}`,
          signal: 'recordManualTest',
          example: { by: '<you>', passed: true },
          until: expires,
        },
        () => run.inbox.manualTest !== undefined,
        wanted.expiresAfterSeconds * 1000,
      );
      const result: ManualTestPayload | undefined = run.inbox.manualTest;
      if (!answered || result === undefined)
        throw new Ended('RolledBack', `nobody recorded the manual test until ${expires}`);
      if (!result.passed)
        throw new Ended(
          'RolledBack',
          `the manual test failed, says ${result.by}: ${result.notes ?? 'no notes'}`,
        );
      return result;
    },
    { detail: ({ by, notes }) => `passed, says ${by}${notes === undefined ? '' : `: ${notes}`}` },
  );
}

type Failing = 'RolledBack' | 'RollbackIncomplete';

async function passAll(
  run: DeploymentRun,
  look: () => Promise<Check[]>,
  failing: Failing = 'RolledBack',
): Promise<void> {
  passed(run, await look(), failing);
}

function passed(run: DeploymentRun, checks: readonly Check[], failing: Failing = 'RolledBack'): void {
  run.checks.push(...checks);
  demandPassed(checks, failing);
}

/** Keeps the latest judgement; where nothing can be judged the report says so. */
function judged(run: DeploymentRun, metrics: readonly MetricJudgement[]): void {
  run.metrics.splice(0, run.metrics.length, ...metrics);
  const failed = metrics.filter(({ outcome }) => outcome === 'fail');
  if (failed.length > 0) {
    throw new Ended(
      'RolledBack',
      failed.map(({ service, metric, reason }) => `${service} ${metric}: ${reason}`).join('; '),
    );
  }
}

/** Such as `8 pass, 4 not judged`. */
function countOutcomes(metrics: readonly MetricJudgement[]): string {
  const outcomes = ['pass', 'fail', 'not judged'] as const;
  const counts = outcomes.map(
    (outcome) => [metrics.filter((m) => m.outcome === outcome).length, outcome] as const,
  );
  return (
    counts.flatMap(([count, outcome]) => (count > 0 ? [`${count} ${outcome}`] : [])).join(', ') ||
    'none judged'
  );
}
