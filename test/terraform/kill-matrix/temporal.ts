import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { execa } from 'execa';
import { freePorts } from '../../../scripts/rehearsal/ports.ts';
import { ServerProcess } from '../../../scripts/rehearsal/process.ts';
import { loadTools } from '../../../scripts/tools.ts';

const ROOT = join(import.meta.dirname, '../../..');
const WORKFLOWS = join(import.meta.dirname, 'perform.workflow.ts');
const BUNDLE = `
  import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
  const { code } = await bundleWorkflowCode({ workflowsPath: process.argv[1], logger: new DefaultLogger('ERROR') });
  process.stdout.write(code);`;

export interface Temporal {
  readonly address: string;
  readonly client: Client;
  stop(): Promise<void>;
}

/**
 * A Temporal server of its own, and a worker in this process for the workflow `perform`.
 * @param directory for its log
 */
export async function startTemporal(directory: string, taskQueue: string): Promise<Temporal> {
  // Whoever stops this process lets go of the server first.
  Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
  const [port = 0] = await freePorts(1);
  const address = `127.0.0.1:${port}`;
  const [server, codePath] = await Promise.all([startServer(directory, port), bundle(directory)]);
  const [connection, native] = await Promise.all([
    Connection.connect({ address }),
    NativeConnection.connect({ address }),
  ]);
  const worker = await Worker.create({ connection: native, taskQueue, workflowBundle: { codePath } });
  const ended = worker.run();
  return {
    address,
    client: new Client({ connection }),
    async stop() {
      worker.shutdown();
      await ended;
      await Promise.all([connection.close(), native.close()]);
      await server.stop();
    },
  };
}

function startServer(directory: string, port: number): Promise<ServerProcess> {
  return ServerProcess.start({
    name: 'the Temporal server',
    command: loadTools().temporalCli ?? 'temporal',
    args: [
      ...[
        'server',
        'start-dev',
        '--headless',
        '--ip',
        '127.0.0.1',
        '--port',
        String(port),
        '--log-level',
        'warn',
      ],
      // Timers are rounded up to a second, unless it is told not to.
      ...['--dynamic-config-value', 'history.timerProcessorMaxTimeShift="10ms"'],
    ],
    env: { PATH: process.env['PATH'], HOME: directory },
    log: join(directory, 'temporal.log'),
    ready: /Temporal Server:/,
  });
}

/** In a process of its own: webpack does not run in a test's sandbox. @returns the bundle's path */
async function bundle(directory: string): Promise<string> {
  const path = join(directory, 'workflows.js');
  const { stdout } = await execa('node', ['--input-type=module', '-e', BUNDLE, WORKFLOWS], { cwd: ROOT });
  await writeFile(path, stdout);
  return path;
}
