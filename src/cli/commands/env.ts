import { WorkflowNotFoundError } from '@temporalio/common';
import type { Command } from 'commander';
import { ENVIRONMENT_SIGNALS, workflowId } from '../../contract.ts';
import { parsePersonReason, type PersonReason } from '../../domain/environment-messages.ts';
import { environmentName } from '../../domain/input.ts';
import type { EnvironmentStatus } from '../../domain/ledger.ts';
import { environments, environmentStatus, showEnvironment, showTable } from '../environments.ts';
import { CommandError } from '../errors.ts';
import { exitCodeOf } from '../exit-codes.ts';
import { accepted } from '../input.ts';
import { byOption, withCommonOptions, withExamples } from '../options.ts';
import type { Run } from '../program.ts';
import { checkEnvironment, configuration, userName, withSession } from '../session.ts';
import type { CommonOptions, Session } from '../session.ts';
import { printJson, printLine, type Terminal } from '../terminal.ts';

interface SayOptions extends CommonOptions {
  readonly by?: string;
  readonly reason: string;
}

/** What people may tell an environment, and how its status shows that it took effect. */
interface Order {
  readonly name: 'freeze' | 'unfreeze' | 'override';
  readonly signal: string;
  readonly does: string;
  readonly example: string;
  done(status: EnvironmentStatus, said: PersonReason): boolean;
}

const ORDERS: readonly Order[] = [
  {
    name: 'freeze',
    signal: ENVIRONMENT_SIGNALS.freeze,
    does: 'refuse every new deployment to an environment, until it is unfrozen',
    example: "slipway env freeze production --reason 'sale weekend'",
    done: ({ frozen }, { by, reason }) => frozen?.by === by && frozen.reason === reason,
  },
  {
    name: 'unfreeze',
    signal: ENVIRONMENT_SIGNALS.unfreeze,
    does: 'let deployments to an environment through again',
    example: "slipway env unfreeze production --reason 'the sale is over'",
    done: ({ frozen }) => frozen === undefined,
  },
  {
    name: 'override',
    signal: ENVIRONMENT_SIGNALS.overrideDirty,
    does: 'declare a dirty environment right as it is, having looked',
    example: "slipway env override production --reason 'all services run 1.3.2, checked by hand'",
    done: ({ dirty, lastOverride }, { by, reason }) =>
      dirty === undefined && lastOverride?.by === by && lastOverride.reason === reason,
  },
];

export function envCommand(program: Command, run: Run): void {
  const command = program
    .command('env')
    .summary('show environments; freeze, unfreeze, override')
    .description(
      'Shows what an environment serves, who holds its lock, who waits, whether it is dirty or frozen, and its ledger. ' +
        'Without a name: all environments of the platform.',
    )
    .enablePositionalOptions()
    .argument('[environment]', "one of the platform's environments")
    .action(async (environment: string | undefined, options: CommonOptions) =>
      run((terminal) => show(terminal, environment, options)),
    );
  withExamples(withCommonOptions(command), [
    'slipway env',
    'slipway env production',
    'slipway env production --json',
  ]);
  for (const order of ORDERS) orderCommand(command, run, order);
}

function orderCommand(env: Command, run: Run, order: Order): void {
  const command = env
    .command(order.name)
    .description(`${order.does.charAt(0).toUpperCase()}${order.does.slice(1)}.`)
    .summary(order.does)
    .argument('<environment>', "one of the platform's environments")
    .requiredOption('--reason <text>', 'why; it is kept and shown')
    .addOption(byOption('who says it'))
    .action(async (environment: string, options: SayOptions) =>
      run((terminal) => tell(terminal, environment, order, options)),
    );
  withExamples(withCommonOptions(command), [order.example]);
}

async function show(
  terminal: Terminal,
  environment: string | undefined,
  options: CommonOptions,
): Promise<number> {
  if (environment !== undefined) checkEnvironment(configuration(terminal, options), options, environment);
  return await withSession(terminal, options, async (session) => {
    const states =
      environment === undefined
        ? await environments(session)
        : [await environmentStatus(session, environment)];
    const [only] = states;
    if (options.json === true) printJson(terminal, environment === undefined ? states : only);
    else {
      const lines =
        environment === undefined || only === undefined ? showTable(states) : showEnvironment(only);
      for (const line of lines) printLine(terminal, line);
    }
    return exitCodeOf('Completed');
  });
}

async function tell(
  terminal: Terminal,
  environment: string,
  order: Order,
  options: SayOptions,
): Promise<number> {
  const { reason, by = userName(terminal) } = options;
  const name = environmentName(environment);
  if (!name.ok)
    throw new CommandError('InvalidInput', `environment: found ${environment}; allowed: ${name.allowed}`);
  const said = accepted(parsePersonReason(order.signal, { by, reason }));
  checkEnvironment(configuration(terminal, options), options, environment);
  return await withSession(terminal, options, async (session) => {
    await signalEnvironment(session, environment, order, said);
    const status = await environmentStatus(session, environment);
    if (!order.done(status, said)) {
      throw new CommandError(
        'NotCounted',
        `${environment} did not take the ${order.name}: slipway env ${environment} shows how it is.`,
      );
    }
    if (options.json === true) printJson(terminal, status);
    else for (const line of showEnvironment(status)) printLine(terminal, line);
    return exitCodeOf('Completed');
  });
}

/** An environment that has no run of its own yet gets one for a freeze; the other orders have nothing to act on there. */
async function signalEnvironment(
  session: Session,
  environment: string,
  order: Order,
  said: PersonReason,
): Promise<void> {
  const { platform, config, client } = session;
  const id = workflowId.environment(platform, environment);
  if (order.name === 'freeze') {
    await session.soon(() =>
      client.workflow.signalWithStart('environment', {
        workflowId: id,
        taskQueue: config.taskQueue,
        args: [{ platform, environment }],
        workflowIdConflictPolicy: 'USE_EXISTING',
        signal: order.signal,
        signalArgs: [said],
      }),
    );
    return;
  }
  try {
    await session.soon(() => client.workflow.getHandle(id).signal(order.signal, said));
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    throw new CommandError(
      'NotFound',
      `Nothing was ever deployed to ${environment} or frozen there: there is nothing to ${order.name}.`,
    );
  }
}
