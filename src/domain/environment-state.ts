/** The environment's lock, queue and ledger as a pure state: `environment`'s workflow only carries the messages. */
import type {
  Dirty,
  DeploymentRecord,
  EnvironmentStatus,
  Freeze,
  Holder,
  LockProof,
  LockRelease,
  LockReleased,
  LockRequest,
  Override,
  UndoRecord,
} from './ledger.ts';

export interface EnvironmentState {
  readonly platform: string;
  readonly environment: string;
  readonly epoch: number;
  readonly counter: number;
  readonly queue: readonly LockRequest[];
  readonly holder?: Holder;
  readonly dirty?: Dirty;
  readonly frozen?: Freeze;
  readonly lastOverride?: Override;
  /** The record of the release that serves. */
  readonly current?: DeploymentRecord;
  /** Newest first. */
  readonly history: readonly DeploymentRecord[];
  /** The request that gave the lock back last: its release, sent again, is answered as the first time. */
  readonly lastReleased?: string;
}

/** When the holder does not say. */
const KEPT_RELEASES = 20;

/** The version in the place of one that nobody knows. */
const UNKNOWN = 'unknown';

export function newEnvironment(platform: string, environment: string, epoch: number): EnvironmentState {
  return { platform, environment, epoch, counter: 0, queue: [], history: [] };
}

export function statusOf(state: EnvironmentState): EnvironmentStatus {
  const { epoch: _epoch, counter: _counter, lastReleased: _lastReleased, ...status } = state;
  return status;
}

/** Queues a request, once: a repeat of one that waits or holds changes nothing. */
export function queued(state: EnvironmentState, request: LockRequest): EnvironmentState {
  if (
    holds(state, request.requestId) ||
    state.queue.some(({ requestId }) => requestId === request.requestId)
  ) {
    return state;
  }
  const firstNormal = state.queue.findIndex(({ front }) => front !== true);
  const at = request.front === true && firstNormal >= 0 ? firstNormal : state.queue.length;
  return { ...state, queue: [...state.queue.slice(0, at), request, ...state.queue.slice(at)] };
}

export function withdrawn(state: EnvironmentState, requestId: string): EnvironmentState {
  return { ...state, queue: state.queue.filter((request) => request.requestId !== requestId) };
}

/** What to do with the queue's head, if anything. */
export type NextAnswer =
  | { readonly kind: 'none' }
  | { readonly kind: 'grant'; readonly holder: Holder; readonly state: EnvironmentState }
  | {
      readonly kind: 'refuse';
      readonly request: LockRequest;
      readonly reason: string;
      readonly state: EnvironmentState;
    };

/** @param now ISO 8601 */
export function nextAnswer(state: EnvironmentState, now: string): NextAnswer {
  const [request] = state.queue;
  if (state.holder !== undefined || request === undefined) return { kind: 'none' };
  const taken = withdrawn(state, request.requestId);
  const reason = refusal(state, request);
  if (reason !== undefined) return { kind: 'refuse', request, reason, state: taken };
  const counter = state.counter + 1;
  const holder: Holder = { ...request, token: { epoch: state.epoch, counter }, grantedAt: now };
  return { kind: 'grant', holder, state: { ...taken, counter, holder } };
}

/** Why the environment takes no deployment now; a rollback passes a freeze and a dirty environment. */
export function refusal(
  state: Pick<EnvironmentState, 'environment' | 'dirty' | 'frozen'>,
  request: Pick<LockRequest, 'mayTakeDirty' | 'front'>,
): string | undefined {
  const { dirty, frozen, environment } = state;
  if (request.mayTakeDirty === true) return undefined;
  if (dirty !== undefined) {
    const override = `when you have looked and it is right as it is, \`slipway env override ${environment} --reason "..."\``;
    const back = `\`slipway rollback ${environment} ${dirty.version} ${dirty.previousVersion ?? '<version>'}\``;
    const wayOut =
      dirty.version === UNKNOWN
        ? `Bring it to a state you know; ${override}`
        : `Go back with ${back}, or, ${override}`;
    return `${environment} is dirty since ${dirty.since}: ${dirty.reason} (${dirty.workflowId}, release ${dirty.version}). ${wayOut}`;
  }
  if (frozen !== undefined) {
    return `${environment} is frozen by ${frozen.by} since ${frozen.since}: ${frozen.reason}. \`slipway env unfreeze ${environment}\` ends it`;
  }
  return undefined;
}

/** Keeps what the holder would take back; anybody else's word changes nothing. */
export function undoRecorded(state: EnvironmentState, proof: LockProof, undo: UndoRecord): EnvironmentState {
  return state.holder !== undefined && proves(state.holder, proof)
    ? { ...state, holder: { ...state.holder, undo } }
    : state;
}

/** Takes the lock back and writes the ledger, when the holder says so. */
export function released(
  state: EnvironmentState,
  release: LockRelease,
  now: string,
): { state: EnvironmentState; answer: LockReleased } {
  const { requestId } = release;
  if (requestId === state.lastReleased) return { state, answer: { requestId, accepted: true } };
  if (state.holder === undefined || !proves(state.holder, release)) {
    const holder = state.holder?.workflowId ?? 'nobody';
    return { state, answer: { requestId, accepted: false, reason: `the lock is held by ${holder}` } };
  }
  const { holder, dirty: _dirty, ...rest } = state;
  const stillDirty =
    release.dirty === undefined ? cleared(state, release) : dirtyAfter(holder, release.dirty, now);
  const written = release.record === undefined ? rest : recorded(rest, release, release.record);
  return {
    state: { ...written, lastReleased: requestId, ...(stillDirty && { dirty: stillDirty }) },
    answer: { requestId, accepted: true },
  };
}

/** The holder's run is gone without a word: after its first change the environment is dirty. */
export function holderLost(state: EnvironmentState, requestId: string, now: string): EnvironmentState {
  if (state.holder?.requestId !== requestId) return state;
  const { holder, ...rest } = state;
  if (holder.undo === undefined) return rest;
  return {
    ...rest,
    dirty: dirtyAfter(holder, 'its run ended without putting its changes back (terminated or lost)', now),
  };
}

/** A holder found by a rebuilt environment goes on holding. */
export function adopted(state: EnvironmentState, holder: Holder): EnvironmentState {
  return state.holder === undefined ? { ...state, holder } : state;
}

export function frozenBy(state: EnvironmentState, freeze: Freeze | undefined): EnvironmentState {
  const { frozen: _frozen, ...rest } = state;
  return freeze === undefined ? rest : { ...rest, frozen: freeze };
}

/** A person has looked and answers for it: named, with a reason, and kept. */
export function overridden(state: EnvironmentState, override: Override): EnvironmentState {
  const { dirty: _dirty, ...rest } = state;
  return { ...rest, lastOverride: override };
}

/** A rebuilt environment has lost its ledger, and with it whether it was dirty or frozen: fail closed. */
export function ledgerLost(state: EnvironmentState, since: string): EnvironmentState {
  const reason =
    'its workflow was lost and had to be started anew: its ledger is empty, and nobody knows whether it was dirty or frozen';
  const workflowId = `${state.platform}.environment.${state.environment}`;
  return { ...state, dirty: { version: UNKNOWN, workflowId, since, reason } };
}

/** A rebuilt environment whose last holder cannot be found does not know what was changed: fail closed. */
export function holderUnknown(state: EnvironmentState, workflowId: string, since: string): EnvironmentState {
  const reason =
    'the environment was rebuilt and the run that held its lock is gone: nobody knows what it had changed';
  return { ...state, dirty: { version: UNKNOWN, workflowId, since, reason } };
}

export function proves(holder: Holder, proof: LockProof): boolean {
  return (
    holder.requestId === proof.requestId &&
    holder.token.epoch === proof.token.epoch &&
    holder.token.counter === proof.token.counter
  );
}

function holds(state: EnvironmentState, requestId: string): boolean {
  return state.holder?.requestId === requestId;
}

function cleared(state: EnvironmentState, release: LockRelease): Dirty | undefined {
  return release.current === true ? undefined : state.dirty;
}

function dirtyAfter(holder: Holder, reason: string, since: string): Dirty {
  return {
    version: holder.undo?.version ?? holder.purpose,
    ...(holder.undo?.previousVersion !== undefined && { previousVersion: holder.undo.previousVersion }),
    workflowId: holder.workflowId,
    since,
    reason,
  };
}

function recorded<S extends Pick<EnvironmentState, 'history'>>(
  state: S,
  release: LockRelease,
  record: DeploymentRecord,
): S {
  const history = kept([record, ...state.history], release.keep ?? KEPT_RELEASES);
  return { ...state, history, ...(release.current === true && { current: record }) };
}

/**
 * The newest `releases` records that completed, and of those that failed since the oldest of them the newest, as many again:
 * however much fails, what serves and what it can go back to stay known.
 */
export function kept(history: readonly DeploymentRecord[], releases: number): DeploymentRecord[] {
  const last = history.filter(({ outcome }) => outcome === 'Completed')[releases - 1];
  const since = last === undefined ? history : history.slice(0, history.indexOf(last) + 1);
  const failed = since.filter(({ outcome }) => outcome !== 'Completed').slice(0, releases);
  return since.filter((record) => record.outcome === 'Completed' || failed.includes(record));
}
