import type { Connection } from '@temporalio/client';
import { createAwsClients } from '../activities/aws.ts';
import { checkIdentity } from '../activities/ecs/check-identity.ts';
import { SEARCH_ATTRIBUTES } from '../contract.ts';
import type { Config } from '../config.ts';
import type { Check } from '../domain/verdict.ts';
import { loadPlatform, type Platform } from '../platform/load.ts';
import { environmentPolicy } from '../platform/policy.ts';
import { missingSearchAttributes, registerCommand, registerSearchAttributes } from '../search-attributes.ts';
import { findTools } from '../tools.ts';
import { configuration, withSession, type CommonOptions, type Session } from './session.ts';
import type { Terminal } from './terminal.ts';
import { describeWorkers } from './workers.ts';

/** Looks at all that Slipway needs; one thing that is missing does not keep it from looking at the rest. */
export async function examine(terminal: Terminal, options: CommonOptions, fix: boolean): Promise<Check[]> {
  const checks: Check[] = [];
  const config = await attempt(checks, 'settings', async () => configuration(terminal, options));
  if (config === undefined) return checks;
  pass(checks, 'settings', `task queue ${config.taskQueue}, namespace ${config.temporal.namespace}`);
  const platform = await attempt(checks, 'platform file', async () => loadPlatform(config.platformFile));
  if (platform !== undefined) pass(checks, 'platform file', `${platform.platform}: ${describe(platform)}`);
  const [server, tools, identities] = await Promise.all([
    serverChecks(terminal, options, fix),
    platform === undefined ? [] : toolChecks(config, platform),
    platform === undefined ? [] : identityChecks(platform),
  ]);
  return [...checks, ...server, ...tools, ...identities];
}

function describe({ environments, services }: Platform): string {
  return `environments ${Object.keys(environments).join(', ')}; services ${Object.keys(services).join(', ')}`;
}

async function serverChecks(terminal: Terminal, options: CommonOptions, fix: boolean): Promise<Check[]> {
  const checks: Check[] = [];
  await attempt(checks, 'server', () =>
    withSession(terminal, options, async (session) => {
      const { address, namespace } = session.config.temporal;
      const { serverVersion } = await session.soon(() => session.client.workflowService.getSystemInfo({}));
      pass(checks, 'server', `${address}, Temporal ${serverVersion ?? 'of unknown version'}`);
      const known = await attempt(checks, 'namespace', () => checkNamespace(checks, session, namespace));
      if (known !== true) return;
      await attempt(checks, 'search attributes', () =>
        checkSearchAttributes(checks, session.connection, namespace, fix),
      );
      await attempt(checks, 'worker', () => checkWorker(checks, session));
    }),
  );
  return checks;
}

async function checkNamespace(checks: Check[], session: Session, namespace: string): Promise<boolean> {
  try {
    await session.soon(() => session.client.workflowService.describeNamespace({ namespace }));
    return pass(checks, 'namespace', namespace);
  } catch (error) {
    return fail(
      checks,
      'namespace',
      `${namespace}: ${messageOf(error)}. Make it: temporal operator namespace create --namespace ${namespace}`,
    );
  }
}

async function checkSearchAttributes(
  checks: Check[],
  connection: Connection,
  namespace: string,
  fix: boolean,
): Promise<boolean> {
  const missing = await missingSearchAttributes(connection, namespace);
  if (missing.length === 0)
    return pass(checks, 'search attributes', Object.keys(SEARCH_ATTRIBUTES).join(', '));
  const command = registerCommand(namespace, missing);
  if (!fix)
    return fail(
      checks,
      'search attributes',
      `missing: ${missing.join(', ')}. Run slipway doctor --fix, or: ${command}`,
    );
  try {
    await registerSearchAttributes(connection, namespace, missing);
    return pass(checks, 'search attributes', `registered ${missing.join(', ')}`);
  } catch (error) {
    return fail(
      checks,
      'search attributes',
      `registering ${missing.join(', ')} failed (${messageOf(error)}). Have an operator run: ${command}`,
    );
  }
}

/** Workflows and activities are polled for apart: a worker that does one only leaves the runs hanging. */
async function checkWorker(checks: Check[], session: Session): Promise<boolean> {
  const { taskQueue } = session.config;
  const workers = await session.soon(() => describeWorkers(session));
  const missing = (['workflows', 'activities'] as const).filter(
    (kind) => !workers.some(({ polls }) => polls.includes(kind)),
  );
  if (missing.length > 0) {
    return fail(
      checks,
      'worker',
      `nobody polls the task queue ${taskQueue} for ${missing.join(' or ')}. Start one: npm run worker`,
    );
  }
  const seen = workers.map(
    ({ identity, lastPoll }) => `${identity} (polled ${new Date(lastPoll).toISOString()})`,
  );
  return pass(checks, 'worker', `task queue ${taskQueue}: ${seen.join(', ')}`);
}

async function toolChecks(config: Config, platform: Platform): Promise<Check[]> {
  const tools = await findTools(config, platform);
  return tools.map(({ name, version, problem }) => ({
    name: `tool ${name.split('/').at(-1) ?? name}`,
    passed: problem === undefined,
    detail: problem === undefined ? (version ?? name) : `${name} ${problem}`,
  }));
}

async function identityChecks(platform: Platform): Promise<Check[]> {
  const aws = createAwsClients();
  try {
    return await Promise.all(
      Object.keys(platform.environments).map(async (environment) => {
        const name = `AWS identity ${environment}`;
        try {
          const { target } = environmentPolicy(platform, environment);
          return { ...(await checkIdentity(aws, target)), name };
        } catch (error) {
          const detail = `${messageOf(error)}. Give this shell credentials (aws sts get-caller-identity must work).`;
          return { name, passed: false, detail };
        }
      }),
    );
  } finally {
    aws.destroy();
  }
}

/** What cannot be looked at is a failed check, told with its reason. */
async function attempt<T>(checks: Check[], name: string, look: () => Promise<T>): Promise<T | undefined> {
  try {
    return await look();
  } catch (error) {
    fail(checks, name, messageOf(error));
    return undefined;
  }
}

function pass(checks: Check[], name: string, detail: string): true {
  checks.push({ name, passed: true, detail });
  return true;
}

function fail(checks: Check[], name: string, detail: string): false {
  checks.push({ name, passed: false, detail });
  return false;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
