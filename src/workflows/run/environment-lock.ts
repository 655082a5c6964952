import {
  CancellationScope,
  condition,
  defineSignal,
  getExternalWorkflowHandle,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { LockProof } from '../../activities/lock.ts';
import { ENVIRONMENT_SIGNALS, HOLDER_SIGNALS, workflowId } from '../../contract.ts';
import { isHolderPing, isLockAnswer, isLockReleased } from '../../domain/environment-messages.ts';
import type {
  Holder,
  LockAnswer,
  LockRelease,
  LockReleased,
  LockRequest,
  UndoRecord,
} from '../../domain/ledger.ts';
import type { Target } from '../../domain/policy.ts';
import { activities } from '../activities.ts';
import { Ended } from '../failures.ts';

/** A request or a release is sent again this often: an environment that was lost and rebuilt hears of it then. */
const SENT_AGAIN = '1 minute';
/** Releases sent before a run ends without the environment's word. */
const RELEASES_SENT = 10;

type Wants = Pick<LockRequest, 'purpose' | 'front' | 'mayTakeDirty'>;

/** A run's side of the environment's lock. */
export class EnvironmentLock {
  readonly #target: Target;
  readonly #environmentId: string;
  #requests = 0;
  #request: LockRequest | undefined;
  #answer: LockAnswer | undefined;
  #released: LockReleased | undefined;
  #undo: UndoRecord | undefined;

  constructor(target: Target) {
    this.#target = target;
    this.#environmentId = workflowId.environment(target.platform, target.environment);
    setHandler(defineSignal<[unknown]>(HOLDER_SIGNALS.lockAnswer), (answer) => {
      if (isLockAnswer(answer) && answer.requestId === this.#request?.requestId) this.#answer = answer;
    });
    setHandler(defineSignal<[unknown]>(HOLDER_SIGNALS.lockReleased), (released) => {
      if (isLockReleased(released) && released.requestId === this.#request?.requestId)
        this.#released = released;
    });
    setHandler(defineSignal<[unknown]>(HOLDER_SIGNALS.holderPing), async (ping) => {
      // Also while the run takes back what it did: a rebuilt environment has to find it.
      if (isHolderPing(ping)) await CancellationScope.nonCancellable(() => this.#answerPing(ping.requestId));
    });
  }

  /** Waits for the lock, in queue order. @throws Ended `PreflightFailed` when the environment takes no deployment now */
  async hold(wants: Wants): Promise<void> {
    const { workflowId: id, firstExecutionRunId } = workflowInfo();
    this.#requests += 1;
    const requestId = `${firstExecutionRunId}/${this.#requests}`;
    this.#request = { requestId, workflowId: id, firstExecutionRunId, ...wants };
    const { platform, environment } = this.#target;
    do {
      const summary = `ask for the lock of ${environment}`;
      await activities('write', summary).requestLock({ platform, environment, request: this.#request });
    } while (
      !(await condition(() => this.#answer !== undefined, SENT_AGAIN, { summary: 'ask again for the lock' }))
    );
    if (this.#answer?.kind === 'refused') {
      const { reason } = this.#answer;
      this.#forget();
      throw new Ended('PreflightFailed', reason);
    }
  }

  get held(): boolean {
    return this.#answer?.kind === 'granted';
  }

  /** Shown by every activity that writes. */
  get proof(): LockProof {
    if (this.#request === undefined || this.#answer?.kind !== 'granted')
      throw new Error('the lock is not held');
    return {
      environmentWorkflowId: this.#environmentId,
      requestId: this.#request.requestId,
      token: this.#answer.token,
    };
  }

  /** Tells the environment, before the first change, what would have to be taken back. */
  async recordUndo(undo: UndoRecord): Promise<void> {
    this.#undo = undo;
    await this.#tell(ENVIRONMENT_SIGNALS.recordUndo, this.proof, undo);
  }

  /**
   * Gives the lock back, or withdraws a request that still waits.
   * @returns the environment's word, which also says whether the ledger took the record
   */
  async release(
    outcome: Omit<LockRelease, 'requestId' | 'workflowId' | 'token'> = {},
  ): Promise<LockReleased | undefined> {
    if (this.#request === undefined) return undefined;
    const { requestId, workflowId: id } = this.#request;
    if (!this.held) {
      await this.#tell(ENVIRONMENT_SIGNALS.withdrawRequest, requestId).catch(() => undefined);
      this.#forget();
      return undefined;
    }
    const release: LockRelease = { requestId, workflowId: id, token: this.proof.token, ...outcome };
    for (let sent = 0; sent < RELEASES_SENT && this.#released === undefined; sent++) {
      await this.#tell(ENVIRONMENT_SIGNALS.releaseLock, release).catch(() => undefined);
      await condition(() => this.#released !== undefined, SENT_AGAIN, {
        summary: 'give the lock back again',
      });
    }
    const answer = this.#released ?? { requestId, accepted: false, reason: 'the environment did not answer' };
    this.#forget();
    return answer;
  }

  #forget(): void {
    this.#request = undefined;
    this.#answer = undefined;
    this.#released = undefined;
    this.#undo = undefined;
  }

  /** An environment asks whether we hold its lock: a rebuilt one takes us on again, one that errs drops us. */
  async #answerPing(requestId: string): Promise<void> {
    // A grant may be on its way: neither yes nor no would be true for long.
    if (this.#request?.requestId === requestId && this.#answer === undefined) return;
    const mine =
      this.#request?.requestId === requestId && this.#answer?.kind === 'granted' ? this.#holder() : undefined;
    await this.#tell(ENVIRONMENT_SIGNALS.holderPong, { requestId, holder: mine }).catch(() => undefined);
  }

  #holder(): Holder | undefined {
    if (this.#request === undefined || this.#answer?.kind !== 'granted') return undefined;
    const { token, grantedAt } = this.#answer;
    return { ...this.#request, token, grantedAt, ...(this.#undo && { undo: this.#undo }) };
  }

  async #tell(signal: string, ...args: unknown[]): Promise<void> {
    await getExternalWorkflowHandle(this.#environmentId).signal(signal, ...args);
  }
}
