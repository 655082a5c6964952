import { userInfo, hostname } from 'node:os';
import { Client, Connection } from '@temporalio/client';
import { loadConfig, type Config } from '../config.ts';
import { loadPlatform } from '../platform/load.ts';
import { environmentPolicy } from '../platform/policy.ts';
import { CommandError } from './errors.ts';
import type { Terminal } from './terminal.ts';

/** Options that every command has; each wins over its variable. */
export interface CommonOptions {
  readonly address?: string;
  readonly namespace?: string;
  readonly taskQueue?: string;
  readonly platformFile?: string;
  readonly platform?: string;
  readonly json?: boolean;
}

const CONNECTS_WITHIN = '5 seconds';
/** Milliseconds. A query without a worker, or of a run that cannot answer, is told within this time. */
const ANSWERS_WITHIN = 10_000;

/** One command's way to the server and to the platform file. */
export class Session {
  readonly config: Config;
  readonly client: Client;
  readonly #connection: Connection;
  readonly #given: CommonOptions;

  private constructor(config: Config, given: CommonOptions, connection: Connection, identity: string) {
    this.config = config;
    this.#given = given;
    this.#connection = connection;
    this.client = new Client({ connection, namespace: config.temporal.namespace, identity });
  }

  /** @throws CommandError `NoServer` within seconds */
  static async open(terminal: Terminal, options: CommonOptions): Promise<Session> {
    const config = configuration(terminal, options);
    const identity = `${userName(terminal)}@${hostname()}`;
    return new Session(config, options, await connect(config), identity);
  }

  get connection(): Connection {
    return this.#connection;
  }

  /** The platform that the command is about: `--platform`, or the one of the platform file. @throws InvalidPlatformFile */
  get platform(): string {
    return platformName(this.config, this.#given);
  }

  /** Its environments, as far as they are known here: with `--platform` there is no file to read them from. */
  get environments(): readonly string[] {
    return this.#given.platform === undefined
      ? Object.keys(loadPlatform(this.config.platformFile).environments)
      : [];
  }

  /** Calls of the server that must answer within seconds. */
  async soon<T>(ask: () => Promise<T>): Promise<T> {
    return await this.#connection.withDeadline(Date.now() + ANSWERS_WITHIN, ask);
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }
}

/** Opens a session for `work` and closes it whatever comes of it. */
export async function withSession<T>(
  terminal: Terminal,
  options: CommonOptions,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const session = await Session.open(terminal, options);
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}

/** This process's settings with the command's options over them. @throws InvalidConfiguration */
export function configuration(terminal: Terminal, options: CommonOptions): Config {
  const config = loadConfig({
    ...terminal.env,
    ...(options.platformFile && { SLIPWAY_PLATFORM_FILE: options.platformFile }),
    ...(options.taskQueue && { SLIPWAY_TASK_QUEUE: options.taskQueue }),
  });
  const { temporal } = config;
  const address = options.address ?? temporal.address;
  const namespace = options.namespace ?? temporal.namespace;
  return {
    ...config,
    temporal: { address, namespace, connectionOptions: { ...temporal.connectionOptions, address } },
  };
}

function platformName(config: Config, { platform }: CommonOptions): string {
  return platform ?? loadPlatform(config.platformFile).platform;
}

/**
 * Checks an environment's name before anything is sent, where the platform file is there to tell.
 * @throws UnknownEnvironment naming those there are; InvalidPlatformFile
 */
export function checkEnvironment(config: Config, { platform }: CommonOptions, environment: string): void {
  if (platform === undefined) environmentPolicy(loadPlatform(config.platformFile), environment);
}

async function connect({ temporal }: Config): Promise<Connection> {
  const { connectionOptions, address } = temporal;
  try {
    return await Connection.connect({ ...connectionOptions, connectTimeout: CONNECTS_WITHIN });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CommandError(
      'NoServer',
      `No Temporal server answers at ${address} (${why}).\n` +
        'Start one (`temporal server start-dev`), or name another: --address HOST:PORT, TEMPORAL_ADDRESS, or a profile (TEMPORAL_PROFILE).',
      { cause: error },
    );
  }
}

/** Who types: `SLIPWAY_USER`, or else the operating system's name of the user. A claim, as any name is. */
export function userName({ env }: Terminal): string {
  if (env['SLIPWAY_USER']) return env['SLIPWAY_USER'];
  try {
    return userInfo().username;
  } catch {
    return 'unknown';
  }
}
