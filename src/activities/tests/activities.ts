import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { activityInfo } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { isMasked } from '../../domain/masking.ts';
import { substitute, valuesOf } from '../../domain/placeholders.ts';
import type { Target, TestSuite } from '../../domain/policy.ts';
import type { Release } from '../../domain/release.ts';
import { clearLeftovers, inOperationDirectory } from '../process/operation.ts';
import { redact } from '../process/redact.ts';
import { processDuration, runProcess } from '../process/run.ts';
import type { ProcessEnd } from '../process/run.ts';
import { activitySupervisor } from '../process/supervisor.ts';
import type { Supervisor } from '../process/supervisor.ts';
import type { SourceRepository } from '../source/repository.ts';
import type { Outputs } from '../terraform/types.ts';
import { judge, keepLog } from './result.ts';
import type { TestActivities } from './types.ts';

export interface TestDependencies {
  readonly source: Pick<SourceRepository, 'checkout'>;
  /** The worker's data directory; workers of one host may share it. Logs are kept in its `logs`. */
  readonly dataDirectory: string;
  /** The worker's environment, of which a suite sees PATH alone. */
  readonly environment: Readonly<NodeJS.ProcessEnv>;
  /** Milliseconds between SIGINT and SIGKILL; 5,000 by default. */
  readonly grace?: number;
}

interface TestInput {
  readonly target: Target;
  readonly release: Release;
  readonly suite: TestSuite;
  readonly outputs: Outputs;
}

const LAYOUT = { folder: 'tests', outliving: 'suite' };

/** For a worker's start: removes what lost workers left of their test runs. */
export function clearTestLeftovers(dataDirectory: string): Promise<string[]> {
  return clearLeftovers(join(dataDirectory, LAYOUT.folder), LAYOUT.outliving);
}

/** Test suites of the release's own commit, as commands with a declared environment. */
export function createTestActivities(dependencies: TestDependencies): TestActivities {
  return {
    async runTests(input) {
      const { dataDirectory } = dependencies;
      const { platform, environment } = input.target;
      const given = substituted(input);
      const supervisor = activitySupervisor();
      const parent = join(dataDirectory, LAYOUT.folder, platform, environment);
      return inOperationDirectory(parent, { outliving: LAYOUT.outliving, supervisor }, async (directory) => {
        const end = await runSuite(dependencies, input, given, directory, supervisor);
        if (end.stopped && !end.timedOut) throw supervisor.failure();
        if (end.kind === 'lost' && !end.timedOut) throw interrupted(input.suite);
        const log = await keepLog(join(directory, LAYOUT.outliving), dataDirectory, logName(input));
        const duration = await processDuration(join(directory, LAYOUT.outliving));
        return { ...(await judge(input.suite, end, log, given.secrets)), duration };
      });
    },
  };
}

interface Given {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly secrets: readonly string[];
}

/** @throws non-retryable `UnknownPlaceholder` that lists the known ones */
function substituted({ target, release, suite, outputs }: TestInput): Given {
  const values = {
    version: release.version,
    commit: release.commit,
    environment: target.environment,
    ...valuesOf('output', outputs),
  };
  const unresolved = new Set<string>();
  const put = (text: string) => {
    const done = substitute(text, values);
    for (const name of done.unresolved) unresolved.add(name);
    return done.text;
  };
  const command = suite.command.map(put);
  const environment = Object.fromEntries(
    Object.entries(suite.environment).map(([name, value]) => [name, put(value)]),
  );
  if (unresolved.size > 0) throw unknownPlaceholder(suite, [...unresolved], Object.keys(values));
  const secrets = Object.entries(environment).flatMap(([name, value]) => (isMasked(name) ? [value] : []));
  return { command, environment, secrets };
}

async function runSuite(
  { source, environment: worker, grace = 5_000 }: TestDependencies,
  { release, suite }: TestInput,
  { command, environment, secrets }: Given,
  directory: string,
  supervisor: Supervisor,
): Promise<ProcessEnd> {
  const checkout = join(directory, 'checkout');
  const home = join(directory, 'home');
  await source.checkout(release.commit, checkout);
  await mkdir(home, { recursive: true, mode: 0o700 });
  const fixed = {
    PATH: worker['PATH'] ?? '/usr/local/bin:/usr/bin:/bin',
    HOME: home,
    LANG: 'C.UTF-8',
    TMPDIR: home,
  };
  const launch = {
    directory: join(directory, LAYOUT.outliving),
    command,
    cwd: checkout,
    env: { ...fixed, ...environment },
  };
  return runProcess(launch, {
    supervisor,
    grace,
    timeout: suite.timeoutSeconds * 1000,
    interrupt: 'group',
    describe: (line) => `${suite.name}: ${redact(line, secrets)}`,
  });
}

/** One log per attempt to judge a release: the run and the activity in it. */
function logName({ target, release, suite }: TestInput): string {
  const { workflowExecution, activityId } = activityInfo();
  const run = workflowExecution?.runId.slice(0, 8) ?? 'none';
  const name = [target.platform, target.environment, release.version, suite.name, run, activityId].join('-');
  return `${name.replaceAll(/[^\w.+-]/g, '_')}.log`;
}

function interrupted({ name }: TestSuite): ApplicationFailure {
  return ApplicationFailure.retryable(
    `${name} was killed from outside before it ended: no verdict. The next attempt runs it again.`,
    'TestsInterrupted',
    { suite: name },
  );
}

function unknownPlaceholder(
  { name }: TestSuite,
  unresolved: readonly string[],
  known: readonly string[],
): ApplicationFailure {
  const braced = (names: readonly string[]) => names.map((placeholder) => `\${${placeholder}}`).join(', ');
  return ApplicationFailure.nonRetryable(
    `The test suite ${name} uses ${braced(unresolved)}, which has no value here. Known: ${braced(known)}. Correct it in slipway.yaml; an output must be a string and not sensitive.`,
    'UnknownPlaceholder',
    { suite: name, unresolved, known },
  );
}
