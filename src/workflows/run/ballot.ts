import { tally, type Tally } from '../../domain/approval.ts';
import { evidenceDigest, type Evidence } from '../../domain/evidence.ts';
import type { ApprovalPolicy } from '../../domain/policy.ts';
import type { Digest } from '../../domain/release.ts';
import type { Inbox } from './inbox.ts';

/** The evidence that approvers are asked about, and how their approvals of it stand. */
export class Ballot {
  readonly #policy: ApprovalPolicy | undefined;
  readonly #startedBy: string;
  readonly #inbox: Inbox;
  #evidence: Evidence | undefined;

  constructor(policy: ApprovalPolicy | undefined, startedBy: string, inbox: Inbox) {
    this.#policy = policy;
    this.#startedBy = startedBy;
    this.#inbox = inbox;
  }

  get evidence(): Evidence | undefined {
    return this.#evidence;
  }

  get digest(): Digest | undefined {
    return this.#evidence === undefined ? undefined : evidenceDigest(this.#evidence);
  }

  /** From now on approvals are asked for `evidence`; those that came before there was any count for it. */
  present(evidence: Evidence): void {
    this.#bind();
    this.#evidence = evidence;
    this.#bind();
  }

  /** @returns nothing where no approval is asked */
  tally(): Tally | undefined {
    if (this.#policy === undefined) return undefined;
    this.#bind();
    return tally(this.#policy, this.digest, this.#startedBy, this.#inbox.approvals);
  }

  /** An approval that names no evidence is for what stood when it came, or for the first there was. */
  #bind(): void {
    const given = this.digest;
    if (given === undefined) return;
    const { approvals } = this.#inbox;
    approvals.forEach((approval, i) => (approvals[i] = { given, ...approval }));
  }
}
