import type { Outputs } from '../../activities/terraform/types.ts';
import type { TestSuite } from '../../domain/policy.ts';
import { activities } from '../activities.ts';
import { Ended } from '../failures.ts';
import type { DeploymentRun } from '../run/deployment-run.ts';

/** Runs one test suite as a step of its own. @throws Ended `RolledBack` with what failed */
export async function runSuite(run: DeploymentRun, suite: TestSuite, outputs: Outputs): Promise<void> {
  const { target } = run.policy;
  const { name, command, timeoutSeconds } = suite;
  await run.step(
    `tests: ${name}`,
    async () => {
      const processes = activities('process', command.join(' '), timeoutSeconds);
      const result = await processes.runTests({ target, release: run.release, suite, outputs });
      if (!result.passed) throw new Ended('RolledBack', `the ${name} tests failed: ${result.detail}`);
      return result;
    },
    { detail: ({ duration }) => `passed in ${duration.toFixed(1)} s` },
  );
}
