import { checkEnvironment, configuration, userName, withSession } from './session.ts';
import type { CommonOptions, Session } from './session.ts';
import { exitCodeOf } from './exit-codes.ts';
import { start, type Request } from './start.ts';
import { describeWorkers } from './workers.ts';
import { watchToEnd } from './conclude.ts';
import { printJson, printLine, type Terminal } from './terminal.ts';

export interface LaunchOptions extends CommonOptions {
  readonly by?: string;
  readonly wait?: boolean;
  readonly join?: boolean;
}

/**
 * Starts what `request` asks, having checked the environment's name, and waits for it where that is wanted.
 * @returns the exit code
 */
export async function launch<Input extends object>(
  terminal: Terminal,
  options: LaunchOptions,
  environment: string | undefined,
  request: (platform: string) => Request<Input>,
): Promise<number> {
  if (environment !== undefined) checkEnvironment(configuration(terminal, options), options, environment);
  return await withSession(terminal, options, async (session) => {
    const asked = request(session.platform);
    const { run, runId, joined } = await start(session, asked, options.join);
    const waits = options.wait === true || options.join === true;
    const progress = (text: string) =>
      options.json === true ? terminal.writeError(`${text}\n`) : printLine(terminal, text);
    progress(
      joined
        ? `${run.workflowId} runs already with the same input: going along`
        : `Started ${run.workflowId}`,
    );
    await warnWithoutWorker(terminal, session);
    if (waits) return await watchToEnd(terminal, session, run, options);
    if (options.json === true) printJson(terminal, { workflowId: run.workflowId, runId });
    else printLine(terminal, `Watch it: slipway watch ${run.workflowId}`);
    return exitCodeOf('Completed');
  });
}

/** A run without a worker waits, which looks as if nothing had happened. */
async function warnWithoutWorker(terminal: Terminal, session: Session): Promise<void> {
  const workers = await session.soon(() => describeWorkers(session));
  if (workers.length > 0) return;
  const { taskQueue } = session.config;
  terminal.writeError(
    `No worker polls the task queue ${taskQueue}: the run waits until one does (\`npm run worker\`; \`slipway doctor\` says more).\n`,
  );
}

/** The person who starts a run: its `startedBy`. */
export function starter(terminal: Terminal, { by }: LaunchOptions): string {
  return by ?? userName(terminal);
}
