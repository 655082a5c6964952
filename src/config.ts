import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import type { ClientConnectConfig } from '@temporalio/envconfig';
import { z } from 'zod';
import { DEFAULT_NAMESPACE, DEFAULT_TASK_QUEUE } from './contract.ts';
import { duration, text } from './platform/fields.ts';
import { show } from './platform/problems.ts';
import { closest } from './platform/suggest.ts';

const PREFIX = 'SLIPWAY_';
const DEFAULT_ADDRESS = 'localhost:7233';
const ANYTHING = /\S/;
const ON_SHUTDOWN = ['leave', 'interrupt'] as const;
const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error'] as const;
const LOG_FORMATS = ['text', 'json'] as const;

/** A number as a variable has it. */
function wholeNumber(least: number, most: number): z.ZodType<number, string> {
  const allowed = `a whole number from ${least} to ${most}`;
  const isAllowed = (value: string) =>
    /^\d{1,9}$/.test(value) && Number(value) >= least && Number(value) <= most;
  return z
    .string({ error: allowed })
    .refine(isAllowed, { error: allowed })
    .meta({ title: `${least} to ${most}` })
    .transform(Number);
}

/** The variables of Slipway's own. Those of Temporal and AWS are read by their libraries. */
export const configSchema = z.object({
  SLIPWAY_PLATFORM_FILE: text('path', ANYTHING, 'a path')
    .default('./slipway.yaml')
    .describe('The platform file.'),
  SLIPWAY_TASK_QUEUE: text('name', ANYTHING, 'the name of a task queue')
    .default(DEFAULT_TASK_QUEUE)
    .describe("Task queue of the platform's worker."),
  SLIPWAY_DATA_DIRECTORY: text('path', ANYTHING, 'a path')
    .default('.slipway')
    .describe(
      'Private directory of the worker: checkouts, Terraform working directories, logs of tests. Made when it is not there.',
    ),
  SLIPWAY_EVIDENCE_KEY: text(
    'text',
    /^.{16,}$/s,
    'a key of 16 or more characters, the same for all workers of a platform',
  )
    .exactOptional()
    .describe(
      'Key of the HMAC by which sensitive values enter the evidence. Without it they enter as "sensitive", and a change of one is not seen.',
    ),
  SLIPWAY_TERRAFORM: text('program', ANYTHING, 'the name or path of terraform or tofu')
    .default('terraform')
    .describe('The `terraform` (or `tofu`) to run: a path, or a name on PATH.'),
  SLIPWAY_TERRAFORM_CONCURRENCY: wholeNumber(1, 64)
    .prefault('4')
    .describe(
      'How many activities of this worker may run Terraform at the same time; others wait, and who came first goes first.',
    ),
  SLIPWAY_TERRAFORM_GRACE: duration('1s', '1h')
    .prefault('2m')
    .describe(
      'How long a `terraform` that is asked to stop, by SIGINT, may take to end in order and save its state before it is killed.',
    ),
  SLIPWAY_TERRAFORM_LOCK_WAIT: duration('0s', '1h')
    .prefault('15m')
    .describe(
      'How long the end of an apply whose host is lost is waited for, by its state lock, before a person is asked.',
    ),
  SLIPWAY_SHUTDOWN_GRACE: duration('0s', '1h')
    .prefault('30s')
    .describe('How long a worker that is asked to stop lets its activities go on before they are cancelled.'),
  SLIPWAY_ON_SHUTDOWN: z
    .enum(ON_SHUTDOWN, { error: `one of ${ON_SHUTDOWN.join(', ')}` })
    .default('leave')
    .describe(
      'What a worker that stops does to a running `terraform apply`: `leave` it to the next worker of this host, or `interrupt` it, in a container that ends with its worker.',
    ),
  SLIPWAY_POLL_INTERVAL: duration('100ms', '10s')
    .prefault('5s')
    .describe(
      'Time between two looks at a rollout or a watched release; the looks of one worker at one cluster are one call.',
    ),
  SLIPWAY_WORKFLOW_BUNDLE: text('path', ANYTHING, 'a path')
    .exactOptional()
    .describe(
      "The workflows' prebuilt bundle. By default the one beside the built worker; from the sources it is made at each start.",
    ),
  SLIPWAY_LOG_LEVEL: z
    .enum(LOG_LEVELS, { error: `one of ${LOG_LEVELS.join(', ')}` })
    .default('info')
    .describe('The least level that is logged.'),
  SLIPWAY_LOG_FORMAT: z
    .enum(LOG_FORMATS, { error: `one of ${LOG_FORMATS.join(', ')}` })
    .default('text')
    .describe('How log lines are written, to standard error.'),
});

/** This process's settings. */
export interface Config {
  /** Absolute. */
  readonly platformFile: string;
  readonly taskQueue: string;
  /** Absolute. */
  readonly dataDirectory: string;
  readonly evidenceKey?: string;
  readonly terraform: string;
  /** 1 to 64. */
  readonly terraformConcurrency: number;
  readonly terraformGraceSeconds: number;
  readonly terraformLockWaitSeconds: number;
  readonly shutdownGraceSeconds: number;
  readonly onShutdown: (typeof ON_SHUTDOWN)[number];
  readonly pollSeconds: number;
  /** Absolute. */
  readonly workflowBundle?: string;
  readonly log: {
    readonly level: (typeof LOG_LEVELS)[number];
    readonly format: (typeof LOG_FORMATS)[number];
  };
  readonly temporal: TemporalConfig;
}

/** For `NativeConnection.connect` (workers) and `Connection.connect` (clients). */
interface TemporalConfig {
  readonly address: string;
  readonly namespace: string;
  readonly connectionOptions: ClientConnectConfig['connectionOptions'];
}

export interface ConfigProblem {
  readonly variable: string;
  readonly found: string;
  readonly allowed: string;
}

/** Environment variables that can't be used; the message has every problem, a line each. */
export class InvalidConfiguration extends Error {
  override readonly name = 'InvalidConfiguration';
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    const lines = problems.map(
      ({ variable, found, allowed }) => `  ${variable}: found ${found}; allowed: ${allowed}`,
    );
    super(['The environment variables are not valid:', ...lines].join('\n'));
    this.problems = problems;
  }
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the settings from environment variables; an empty one counts as not set. Relative paths are relative to the working directory.
 * @throws InvalidConfiguration with every problem
 */
export function loadConfig(environment: Environment = process.env): Config {
  const given = Object.fromEntries(
    Object.entries(environment).filter((entry): entry is [string, string] => Boolean(entry[1])),
  );
  const own = configSchema.safeParse(given, { reportInput: true });
  const temporal = temporalConfig(given);
  const problems = [
    ...ownProblems(own.error),
    ...misspelt(given),
    ...('problems' in temporal ? temporal.problems : []),
  ];
  if (!own.success || 'problems' in temporal || problems.length > 0) throw new InvalidConfiguration(problems);
  return {
    platformFile: resolve(own.data.SLIPWAY_PLATFORM_FILE),
    taskQueue: own.data.SLIPWAY_TASK_QUEUE,
    dataDirectory: resolve(own.data.SLIPWAY_DATA_DIRECTORY),
    ...(own.data.SLIPWAY_EVIDENCE_KEY !== undefined && { evidenceKey: own.data.SLIPWAY_EVIDENCE_KEY }),
    terraform: own.data.SLIPWAY_TERRAFORM,
    terraformConcurrency: own.data.SLIPWAY_TERRAFORM_CONCURRENCY,
    terraformGraceSeconds: own.data.SLIPWAY_TERRAFORM_GRACE,
    terraformLockWaitSeconds: own.data.SLIPWAY_TERRAFORM_LOCK_WAIT,
    shutdownGraceSeconds: own.data.SLIPWAY_SHUTDOWN_GRACE,
    onShutdown: own.data.SLIPWAY_ON_SHUTDOWN,
    pollSeconds: own.data.SLIPWAY_POLL_INTERVAL,
    ...(own.data.SLIPWAY_WORKFLOW_BUNDLE !== undefined && {
      workflowBundle: resolve(own.data.SLIPWAY_WORKFLOW_BUNDLE),
    }),
    log: { level: own.data.SLIPWAY_LOG_LEVEL, format: own.data.SLIPWAY_LOG_FORMAT },
    temporal,
  };
}

function ownProblems(error: z.ZodError | undefined): ConfigProblem[] {
  return (error?.issues ?? []).map(({ path, input, message }) => {
    const variable = String(path[0]);
    const found =
      variable === 'SLIPWAY_EVIDENCE_KEY' ? `a text of ${String(input).length} characters` : show(input);
    return { variable, found, allowed: message };
  });
}

/** Other programs' variables may begin with SLIPWAY_ too (a webhook's secret): only what looks like a slip is told. */
function misspelt(given: Record<string, string>): ConfigProblem[] {
  const known = Object.keys(configSchema.shape).filter((variable) => !(variable in given));
  return Object.keys(given)
    .filter((variable) => variable.startsWith(PREFIX) && !(variable in configSchema.shape))
    .flatMap((variable) => {
      const meant = closest(
        variable.slice(PREFIX.length),
        known.map((name) => name.slice(PREFIX.length)),
      );
      return meant
        ? [{ variable, found: 'an unknown variable', allowed: `${PREFIX}${meant}, if that is what is meant` }]
        : [];
    });
}

/** By Temporal's own profiles and variables: TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, TEMPORAL_TLS..., TEMPORAL_PROFILE. */
function temporalConfig(
  given: Record<string, string>,
): TemporalConfig | { readonly problems: readonly ConfigProblem[] } {
  const file = given['TEMPORAL_CONFIG_FILE'];
  if (file !== undefined && !existsSync(file)) {
    return {
      problems: [
        {
          variable: 'TEMPORAL_CONFIG_FILE',
          found: `${show(file)}, which is not there`,
          allowed: 'the path of a Temporal configuration file',
        },
      ],
    };
  }
  try {
    const { connectionOptions, namespace } = loadClientConnectConfig({
      overrideEnvVars: given,
      configFileStrict: true,
    });
    const address = connectionOptions.address ?? DEFAULT_ADDRESS;
    return {
      address,
      namespace: namespace ?? DEFAULT_NAMESPACE,
      connectionOptions: { ...connectionOptions, address },
    };
  } catch (error) {
    const found = error instanceof Error ? error.message : String(error);
    return {
      problems: [
        {
          variable: 'TEMPORAL_PROFILE',
          found,
          allowed:
            'a profile and settings that Temporal knows: docs.temporal.io/references/client-environment-configuration',
        },
      ],
    };
  }
}
