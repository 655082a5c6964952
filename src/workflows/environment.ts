import {
  allHandlersFinished,
  ApplicationFailure,
  CancellationScope,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  defineUpdate,
  getExternalWorkflowHandle,
  log,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import {
  ENVIRONMENT_SIGNALS,
  HOLDER_SIGNALS,
  INSPECT_UPDATE,
  QUERIES,
  type EnvironmentInput,
} from '../contract.ts';
import * as state from '../domain/environment-state.ts';
import type { EnvironmentState } from '../domain/environment-state.ts';
import {
  isHolderPong,
  isLockProof,
  isLockRelease,
  isLockRequest,
  isUndoRecord,
  parsePersonReason,
  type PersonReason,
} from '../domain/environment-messages.ts';
import { describeProblems } from '../domain/input.ts';
import type { EnvironmentStatus, Holder, HolderPong, LockRelease, LockRequest } from '../domain/ledger.ts';
import { renderEnvironment } from '../domain/render/environment.ts';
import type { EnvironmentActivities } from '../activities/environment/types.ts';
import { activities } from './activities.ts';
import { explain, isCancellation } from './failures.ts';
import { now } from './run/time.ts';

/** How often the holder is looked for while others wait. */
const LOOKED_FOR = '1 minute';

/** An environment's lock, queue, freezes and ledger. One run per environment, for ever: it continues as new. */
export async function environment(input: EnvironmentInput): Promise<never> {
  const keeper = new Keeper(input);
  keeper.listen();
  // A cancellation would lose the ledger and open what is dirty or frozen: it has no effect.
  return await CancellationScope.nonCancellable(async () => {
    await keeper.begin();
    while (!workflowInfo().continueAsNewSuggested) await keeper.serve();
    await condition(allHandlersFinished);
    return await continueAsNew<typeof environment>({ ...input, state: keeper.state });
  });
}

class Keeper {
  state: EnvironmentState;
  readonly #fresh: boolean;
  #ready = false;
  /** Requests whose run said that it does not hold the lock. */
  #disowned = new Set<string>();
  #adoptable: Holder | undefined;
  /** Why the epoch could not be raised; cleared by the next who looks, and it is tried again. */
  #problem: string | undefined;
  /** The writes of the holder, one after the other: each writes what holds when its turn comes. */
  #kept: Promise<unknown> = Promise.resolve();

  constructor(input: EnvironmentInput) {
    this.#fresh = input.state === undefined;
    this.state =
      (input.state as EnvironmentState | undefined) ??
      state.newEnvironment(input.platform, input.environment, 0);
  }

  listen(): void {
    on(ENVIRONMENT_SIGNALS.requestLock, isLockRequest, (request) => this.#request(request));
    on(ENVIRONMENT_SIGNALS.withdrawRequest, isText, (requestId) => this.#withdraw(requestId));
    on(ENVIRONMENT_SIGNALS.recordUndo, isLockProof, (proof, undo) => {
      if (isUndoRecord(undo)) this.#set(state.undoRecorded(this.state, proof, undo));
    });
    on(ENVIRONMENT_SIGNALS.releaseLock, isLockRelease, (release) => this.#release(release));
    on(ENVIRONMENT_SIGNALS.holderPong, isHolderPong, (pong) => this.#pong(pong));
    this.#onPerson(ENVIRONMENT_SIGNALS.freeze, (said) =>
      state.frozenBy(this.state, { ...said, since: now() }),
    );
    this.#onPerson(ENVIRONMENT_SIGNALS.unfreeze, () => state.frozenBy(this.state, undefined));
    this.#onPerson(ENVIRONMENT_SIGNALS.overrideDirty, (said) =>
      state.overridden(this.state, { ...said, at: now() }),
    );
    setHandler(defineQuery<EnvironmentStatus>(QUERIES.status), () => state.statusOf(this.state));
    setHandler(defineQuery<EnvironmentState['history']>(QUERIES.history), () => this.state.history);
    setHandler(defineQuery<Holder | null>(QUERIES.holder), () => this.state.holder ?? null);
    setHandler(
      defineUpdate<EnvironmentStatus>(INSPECT_UPDATE),
      () => CancellationScope.nonCancellable(() => this.#inspect()),
      {
        description: 'Looks for the holder of the lock, then answers with the status',
      },
    );
  }

  /** A signal of a person; one without a name and a reason has no effect and is logged. */
  #onPerson(signal: string, next: (said: PersonReason) => EnvironmentState): void {
    setHandler(defineSignal<[unknown]>(signal), (message) => {
      const said = parsePersonReason(signal, message);
      if (said.kind === 'ok') this.#set(next(said.value));
      else log.warn(`${signal} had no effect: ${describeProblems(said.problems)}`);
    });
  }

  /** A new environment raises its epoch and grants nothing until it has found who held the lock before it was lost. */
  async begin(): Promise<void> {
    if (this.#fresh) {
      const { epoch, lastHolder } = await this.#raiseEpoch();
      this.#set({ ...this.state, epoch });
      if (lastHolder !== undefined) await this.#findAgain(lastHolder);
      else if (epoch > 1) this.#set(state.ledgerLost(this.state, now()));
    }
    this.#ready = true;
  }

  /** What passes is retried for ever; what does not is told to whoever looks, and tried again then. */
  async #raiseEpoch(): ReturnType<EnvironmentActivities['raiseEpoch']> {
    const { platform, environment: name } = this.state;
    for (;;) {
      try {
        return await activities('keep', 'raise the epoch').raiseEpoch({ platform, environment: name });
      } catch (error) {
        this.#problem = explain(error);
        await condition(() => this.#problem === undefined);
      }
    }
  }

  /** Waits for something to do and does it: one answer to the queue's head, or a look for the holder. */
  async serve(): Promise<void> {
    const busy = () => state.nextAnswer(this.state, '').kind !== 'none';
    const waits = () => this.state.holder !== undefined && this.state.queue.length > 0;
    const until = () => busy() || workflowInfo().continueAsNewSuggested;
    if (!waits()) await condition(() => until() || waits());
    else if (!(await condition(until, LOOKED_FOR))) await this.#lookForHolder();
    if (busy()) await this.#answerHead();
  }

  async #answerHead(): Promise<void> {
    const next = state.nextAnswer(this.state, now());
    if (next.kind === 'none') return;
    this.#set(next.state);
    if (next.kind === 'refuse') return await this.#refuse(next.request, next.reason);
    const problem = await this.#keepHolder();
    if (problem === undefined) return await this.#grant(next.holder);
    this.#set(state.holderLost(this.state, next.holder.requestId, now()));
    await this.#refuse(next.holder, `the lock could not be recorded: ${problem}`);
  }

  async #refuse(request: LockRequest, reason: string): Promise<void> {
    await this.#tell(request, HOLDER_SIGNALS.lockAnswer, {
      kind: 'refused',
      requestId: request.requestId,
      reason,
    });
  }

  async #grant(holder: Holder): Promise<void> {
    if (this.state.holder?.requestId !== holder.requestId) return;
    const { requestId, token, grantedAt } = holder;
    const heard = await this.#tell(holder, HOLDER_SIGNALS.lockAnswer, {
      kind: 'granted',
      requestId,
      token,
      grantedAt,
    });
    if (!heard) await this.#lose(holder);
  }

  async #request(request: LockRequest): Promise<void> {
    const { holder } = this.state;
    this.#set(state.queued(this.state, request));
    if (holder?.requestId === request.requestId) await this.#grant(holder);
  }

  async #withdraw(requestId: string): Promise<void> {
    this.#set(state.withdrawn(this.state, requestId));
    const { holder } = this.state;
    if (holder?.requestId === requestId && holder.undo === undefined) await this.#lose(holder);
  }

  async #release(release: LockRelease): Promise<void> {
    const { state: next, answer } = state.released(this.state, release, now());
    this.#set(next);
    if (answer.accepted) await this.#keepHolder();
    await this.#tell(release, HOLDER_SIGNALS.lockReleased, answer);
  }

  #pong({ requestId, holder }: HolderPong): void {
    if (holder === undefined) this.#disowned.add(requestId);
    else this.#adoptable = holder;
  }

  #unable(): boolean {
    return this.#problem !== undefined;
  }

  async #inspect(): Promise<EnvironmentStatus> {
    this.#problem = undefined;
    await condition(() => this.#ready || this.#unable());
    if (this.#unable()) {
      const why = `The environment cannot keep its lock: ${String(this.#problem)}`;
      throw ApplicationFailure.nonRetryable(why, 'EnvironmentUnavailable');
    }
    await this.#lookForHolder();
    return state.statusOf(this.state);
  }

  /** Temporal knows whether the holder's run still exists; the run itself knows whether it holds the lock. */
  async #lookForHolder(): Promise<void> {
    const { holder } = this.state;
    if (holder === undefined) return;
    const { requestId } = holder;
    const exists = await this.#tell(holder, HOLDER_SIGNALS.holderPing, { requestId });
    if (!exists || this.#disowned.delete(requestId)) await this.#lose(holder);
  }

  async #findAgain(last: Pick<LockRequest, 'workflowId' | 'requestId'>): Promise<void> {
    const { requestId } = last;
    const exists = await this.#tell(last, HOLDER_SIGNALS.holderPing, { requestId });
    const answered = () => this.#disowned.has(requestId) || this.#adoptable?.requestId === requestId;
    if (exists) await condition(answered, LOOKED_FOR, { summary: 'wait for the last holder' });
    if (this.#adoptable?.requestId === requestId) this.#set(state.adopted(this.state, this.#adoptable));
    else this.#set(state.holderUnknown(this.state, last.workflowId, now()));
  }

  async #lose(holder: Holder): Promise<void> {
    this.#set(state.holderLost(this.state, holder.requestId, now()));
    await this.#keepHolder();
  }

  /** @returns what went wrong for good, if anything: whatever passes is retried for ever */
  #keepHolder(): Promise<string | undefined> {
    const written = this.#kept.then(() => this.#writeHolder());
    this.#kept = written;
    return written;
  }

  async #writeHolder(): Promise<string | undefined> {
    const { platform, environment: name, epoch, holder } = this.state;
    const kept = holder && {
      workflowId: holder.workflowId,
      firstExecutionRunId: holder.firstExecutionRunId,
      requestId: holder.requestId,
    };
    const summary = holder === undefined ? 'the lock is free' : `the lock is ${holder.workflowId}'s`;
    try {
      await activities('keep', summary).recordHolder({
        platform,
        environment: name,
        epoch,
        ...(kept && { holder: kept }),
      });
      return undefined;
    } catch (error) {
      log.error(`${summary}, but that could not be recorded: ${explain(error)}`);
      return explain(error);
    }
  }

  /** @returns false when there is no such run any more */
  async #tell(run: { workflowId: string }, signal: string, message: unknown): Promise<boolean> {
    try {
      await getExternalWorkflowHandle(run.workflowId).signal(signal, message);
      return true;
    } catch (error) {
      if (isCancellation(error)) throw error;
      return !/not found/i.test(explain(error));
    }
  }

  #set(next: EnvironmentState): void {
    this.state = next;
    setCurrentDetails(renderEnvironment(state.statusOf(next)));
  }
}

/** Handles a signal of another run; what cannot be read has no effect and is logged. */
function on<T>(
  signal: string,
  readable: (message: unknown) => message is T,
  receive: (message: T, second: unknown) => void | Promise<void>,
): void {
  setHandler(defineSignal<[unknown, unknown]>(signal), (message, second) => {
    if (readable(message)) return CancellationScope.nonCancellable(async () => receive(message, second));
    log.warn(`${signal} had no effect: its message could not be read`);
    return undefined;
  });
}

function isText(message: unknown): message is string {
  return typeof message === 'string';
}
