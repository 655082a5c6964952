import type { Ending } from './ending.ts';
import { follow } from './follow.ts';
import { lineByLine } from './progress.ts';
import { withSession, type CommonOptions } from './session.ts';
import { start, type Request } from './start.ts';
import type { Terminal } from './terminal.ts';

/** Starts a run that changes nothing and waits for its end; what goes on is told on standard error, a line each. */
export async function look<Input extends object>(
  terminal: Terminal,
  options: CommonOptions,
  request: (platform: string) => Request<Input>,
): Promise<Ending> {
  return await withSession(terminal, options, async (session) => {
    const { run } = await start(session, request(session.platform));
    return await follow(
      session,
      run,
      lineByLine(terminal, (text) => terminal.writeError(text)),
    );
  });
}
