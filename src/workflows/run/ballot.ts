import { tally, type Tally } from '../../domain/approval.ts';
import type { Proposal } from '../../domain/deployment-plan.ts';
import type { Evidence } from '../../domain/evidence.ts';
import type { ApprovalPolicy } from '../../domain/policy.ts';
import type { Digest } from '../../domain/release.ts';
import type { Inbox } from './inbox.ts';

/** The evidence that approvers are asked about, and how their approvals of it stand. */
export class Ballot {
  readonly #policy: ApprovalPolicy | undefined;
  readonly #startedBy: string;
  readonly #inbox: Inbox;
  #proposal: Proposal | undefined;

  constructor(policy: ApprovalPolicy | undefined, startedBy: string, inbox: Inbox) {
    this.#policy = policy;
    this.#startedBy = startedBy;
    this.#inbox = inbox;
  }

  get proposal(): Proposal | undefined {
    return this.#proposal;
  }

  get evidence(): Evidence | undefined {
    return this.#proposal?.evidence;
  }

  get digest(): Digest | undefined {
    return this.#proposal?.digest;
  }

  /** From now on approvals are asked for the evidence of `proposal`; those that came before there was any count for it. */
  present(proposal: Proposal): void {
    this.#bind();
    this.#proposal = proposal;
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
