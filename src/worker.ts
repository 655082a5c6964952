import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Runtime, Worker, type Logger, type WorkerOptions } from '@temporalio/worker';
import { createActivities } from './create-activities.ts';
import { clearTerraformLeftovers } from './activities/terraform/activities.ts';
import { clearTestLeftovers } from './activities/tests/activities.ts';
import { loadConfig, type Config } from './config.ts';
import { installLogger } from './logging.ts';
import { loadPlatform, type Platform } from './platform/load.ts';
import { ensureSearchAttributes } from './search-attributes.ts';
import { missingTools } from './tools.ts';

/** Milliseconds: an activity hears of an abort with a heartbeat, so after this time at the most. */
const HEARTBEATS_EVERY = 3_000;

/** Hosts workflows and activities until it is told to stop; then it finishes what it can and leaves the rest to others. */
async function main(): Promise<void> {
  const config = loadConfig();
  const platform = loadPlatform(config.platformFile);
  await requireTools(config, platform);
  await mkdir(config.dataDirectory, { recursive: true, mode: 0o700 });
  const log = installLogger(config.log);
  const runtime = Runtime.instance();
  try {
    await clearLeftovers(config, log);
    const connection = await connect(config);
    try {
      await serve(connection, config, platform, log);
    } finally {
      await connection.close();
    }
  } finally {
    // One that never had a worker would keep the process from ending, even by SIGTERM.
    await runtime.shutdown();
  }
}

async function serve(connection: Connection, config: Config, platform: Platform, log: Logger): Promise<void> {
  await ensureSearchAttributes(connection, config.temporal.namespace);
  const client = new Client({ connection, namespace: config.temporal.namespace });
  const native = await NativeConnection.connect(config.temporal.connectionOptions);
  try {
    const worker = await Worker.create({
      connection: native,
      namespace: config.temporal.namespace,
      taskQueue: config.taskQueue,
      identity: `${process.pid}@${hostname()}`,
      activities: createActivities({ config, platform, client }),
      shutdownGraceTime: config.shutdownGraceSeconds * 1000,
      maxHeartbeatThrottleInterval: HEARTBEATS_EVERY,
      ...workflows(config),
    });
    log.info(
      `worker of ${platform.platform} serves ${config.temporal.address}, task queue ${config.taskQueue}`,
    );
    await worker.run();
  } finally {
    await native.close();
  }
}

async function requireTools(config: Config, platform: Platform): Promise<void> {
  const missing = await missingTools(config, platform);
  if (missing.length > 0)
    throw new Error(`The worker lacks what it needs:\n${missing.map((line) => `  ${line}`).join('\n')}`);
}

/** What a worker that crashed has left: plan files are secrets. Operations that outlive their worker are not touched. */
async function clearLeftovers({ dataDirectory }: Config, log: Logger): Promise<void> {
  const clearing = [clearTerraformLeftovers(dataDirectory), clearTestLeftovers(dataDirectory)];
  const foreign = (await Promise.all(clearing)).flat();
  if (foreign.length === 0) return;
  log.warn(
    `operations of another host or container are in the data directory, and are left alone for a week: ${foreign.join(', ')}. ` +
      'Workers share a data directory on one host (PID namespace) only: give each host and container one of its own.',
  );
}

async function connect({ temporal }: Config): Promise<Connection> {
  const connection = Connection.lazy({ ...temporal.connectionOptions, connectTimeout: '5 seconds' });
  try {
    await connection.ensureConnected();
    return connection;
  } catch (error) {
    // One that goes on trying would keep the process from ending.
    await connection.close();
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(
      `No Temporal server answers at ${temporal.address} (${why}). Start one (\`temporal server start-dev\`), or name ` +
        'another in TEMPORAL_ADDRESS or in a profile (TEMPORAL_PROFILE).',
      { cause: error },
    );
  }
}

/** The prebuilt bundle where there is one; from the sources the workflows are bundled at the start. */
function workflows({ workflowBundle }: Config): Pick<WorkerOptions, 'workflowBundle' | 'workflowsPath'> {
  const built = workflowBundle ?? fileURLToPath(new URL('workflow-bundle.js', import.meta.url));
  if (workflowBundle !== undefined || existsSync(built)) return { workflowBundle: { codePath: built } };
  return { workflowsPath: fileURLToPath(new URL('workflows/index.ts', import.meta.url)) };
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
