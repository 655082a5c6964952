import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { Client, Connection } from '@temporalio/client';
import { createRepository } from '../../examples/writing-platform/create-repository.ts';
import { findBasePort } from '../../examples/writing-platform/ports.ts';
import { prepareAccount } from '../../examples/writing-platform/prepare-account.ts';
import { publish } from '../../examples/writing-platform/publish.ts';
import { installProvider } from '../../sandbox/terraform-provider/install.ts';
import { loadTools } from '../tools.ts';
import { freePorts } from './ports.ts';
import { ServerProcess } from './process.ts';

const ROOT = join(import.meta.dirname, '..', '..');

export interface RehearsalOptions {
  /** Where state, logs and the example's repository go; made when it is not there. */
  readonly directory: string;
  /** Divides the waits that AWS documents. */
  readonly speed: number;
  /** With Temporal's UI. */
  readonly ui?: boolean;
  /** Temporal's port, its UI's, the sandbox's, the first of the load balancers'; free ones when left out. */
  readonly ports?: { readonly temporal: number; readonly ui: number; readonly sandbox: number };
}

/** The whole stage on this machine: a Temporal server, the sandbox, the example platform, and workers. */
export class Rehearsal {
  readonly directory: string;
  readonly platformFile: string;
  readonly repository: string;
  readonly commits: Readonly<Record<string, string>>;
  readonly temporalAddress: string;
  readonly uiUrl: string;
  readonly sandboxUrl: string;
  readonly basePort: number;
  /** What a worker, the CLI and Terraform are given. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly client: Client;
  readonly #servers: readonly ServerProcess[];
  readonly #connection: Connection;
  readonly #workers: ServerProcess[] = [];

  private constructor(parts: Parts) {
    this.directory = parts.directory;
    this.platformFile = parts.platformFile;
    this.repository = parts.repository;
    this.commits = parts.commits;
    this.basePort = parts.basePort;
    this.temporalAddress = parts.temporalAddress;
    this.uiUrl = parts.uiUrl;
    this.sandboxUrl = parts.sandboxUrl;
    this.env = parts.env;
    this.#servers = parts.servers;
    this.#connection = parts.connection;
    this.client = new Client({ connection: parts.connection });
  }

  /** Starts everything but a worker. */
  static async start(options: RehearsalOptions): Promise<Rehearsal> {
    const { directory } = options;
    await mkdir(directory, { recursive: true });
    const [temporal = 0, ui = 0, sandboxPort = 0] = options.ports
      ? [options.ports.temporal, options.ports.ui, options.ports.sandbox]
      : await freePorts(3);
    const servers: ServerProcess[] = [];
    const keep = (server: ServerProcess): ServerProcess => {
      servers.push(server);
      return server;
    };
    try {
      const starting = [
        startTemporal(directory, temporal, options.ui === true ? ui : undefined).then(keep),
        startSandbox(directory, sandboxPort, options.speed).then(keep),
      ] as const;
      // When one fails the other must be there to be stopped.
      await Promise.allSettled(starting);
      const [, sandbox] = await Promise.all(starting);
      const basePort = await findBasePort();
      const example = await createRepository({ directory, basePort });
      const { cliConfigFile } = await installProvider({ directory: join(directory, 'terraform-plugins') });
      const temporalAddress = `127.0.0.1:${temporal}`;
      const env: Record<string, string | undefined> = {
        ...plainEnvironment(),
        ...endpointVariables(sandbox.greeting),
        TF_CLI_CONFIG_FILE: cliConfigFile,
        TEMPORAL_ADDRESS: temporalAddress,
        SLIPWAY_PLATFORM_FILE: example.platformFile,
        SLIPWAY_DATA_DIRECTORY: join(directory, 'worker'),
        SLIPWAY_POLL_INTERVAL: '500ms',
        SLIPWAY_SHUTDOWN_GRACE: '5s',
      };
      const connection = await Connection.connect({ address: temporalAddress });
      const rehearsal = new Rehearsal({
        ...example,
        directory,
        basePort,
        servers,
        connection,
        env,
        temporalAddress,
        uiUrl: `http://127.0.0.1:${ui}`,
        sandboxUrl: env['AWS_ENDPOINT_URL'] ?? '',
      });
      await rehearsal.#asAws(() => prepareAccount());
      return rehearsal;
    } catch (error) {
      await Promise.all(servers.map((server) => server.stop()));
      throw error;
    }
  }

  /** Packs and pushes a release's images; by default those of the example. */
  async publish(
    version: string,
    commit = this.#commit(version),
    repository = this.repository,
  ): Promise<void> {
    await this.#asAws(() => publish({ repository, commit, version }));
  }

  /** Starts a worker and waits until it serves. */
  async startWorker(env: Readonly<Record<string, string>> = {}): Promise<ServerProcess> {
    const worker = await ServerProcess.start({
      name: 'the worker',
      command: 'node',
      args: [join(ROOT, 'src', 'worker.ts')],
      env: { ...this.env, SLIPWAY_WORKFLOW_BUNDLE: await workflowBundle(), ...env },
      log: join(this.directory, 'logs', 'worker.log'),
      ready: /worker of .* serves/,
    });
    this.#workers.push(worker);
    return worker;
  }

  /** Input of a run that deploys `version`. */
  release(version: string): { versionTag: string; commitHash: string } {
    return { versionTag: version, commitHash: this.#commit(version) };
  }

  /** Base URL of a service, as its users see it. */
  url(
    environment: 'development' | 'staging' | 'production',
    service: 'editor' | 'suggestions' | 'model-gateway',
  ): string {
    const offset = { development: 0, staging: 20, production: 40 }[environment];
    return `http://127.0.0.1:${this.basePort + offset + ['editor', 'suggestions', 'model-gateway'].indexOf(service)}`;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.stop()));
    await this.#connection.close();
    await Promise.all(this.#servers.map((server) => server.stop()));
  }

  #commit(version: string): string {
    const commit = this.commits[version];
    if (commit === undefined)
      throw new Error(`the example has no release ${version}: ${Object.keys(this.commits).join(', ')}`);
    return commit;
  }

  /** The example's scripts find AWS through this process's variables, as any program does. */
  async #asAws<T>(work: () => Promise<T>): Promise<T> {
    for (const [name, value] of Object.entries(this.env)) {
      if (name.startsWith('AWS_') && value !== undefined) process.env[name] = value;
    }
    return await work();
  }
}

/** Bundled once for all workers of these sources, in a process of its own: webpack is not for every host. */
async function workflowBundle(): Promise<string> {
  const { stdout } = await execa('node', [join(ROOT, 'scripts', 'bundle.ts')]);
  return stdout;
}

interface Parts {
  readonly directory: string;
  readonly platformFile: string;
  readonly repository: string;
  readonly commits: Readonly<Record<string, string>>;
  readonly basePort: number;
  readonly temporalAddress: string;
  readonly uiUrl: string;
  readonly sandboxUrl: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly servers: readonly ServerProcess[];
  readonly connection: Connection;
}

async function startTemporal(
  directory: string,
  port: number,
  uiPort: number | undefined,
): Promise<ServerProcess> {
  const ui = uiPort === undefined ? ['--headless'] : ['--ui-port', String(uiPort)];
  return await ServerProcess.start({
    name: 'the Temporal server',
    command: loadTools().temporalCli ?? 'temporal',
    // The dev server rounds timers up to a second, unless told not to.
    args: [
      ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(port), ...ui],
      ...['--db-filename', join(directory, 'temporal.db'), '--log-level', 'warn'],
      ...['--dynamic-config-value', 'history.timerProcessorMaxTimeShift="10ms"'],
    ],
    env: plainEnvironment(),
    log: join(directory, 'logs', 'temporal.log'),
    ready: /Server:|Temporal Server|UI:|Metrics:/i,
  });
}

async function startSandbox(directory: string, port: number, speed: number): Promise<ServerProcess> {
  return await ServerProcess.start({
    name: 'the sandbox',
    command: 'node',
    args: [
      join(ROOT, 'sandbox', 'main.ts'),
      '--port',
      String(port),
      '--state',
      join(directory, 'sandbox'),
      '--speed',
      String(speed),
    ],
    env: plainEnvironment(),
    log: join(directory, 'logs', 'sandbox.log'),
    ready: /^# Sandbox ready/,
  });
}

/** The `export NAME=value` lines that the sandbox prints. */
function endpointVariables(lines: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    lines.flatMap((line) => {
      const [, name, value] = /^export (\w+)=(.*)$/.exec(line) ?? [];
      return name === undefined || value === undefined ? [] : [[name, value]];
    }),
  );
}

/** This process's environment without what would lead elsewhere. */
function plainEnvironment(): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(AWS_(?!CA_BUNDLE)|TEMPORAL_|SLIPWAY_|TF_)/.test(name)),
  );
}
