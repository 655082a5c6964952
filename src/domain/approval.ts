import type { ApprovalPolicy, SignalPolicy } from './policy.ts';
import type { Digest } from './release.ts';
import type { HumanSignal } from './requests.ts';

export interface Approval {
  readonly by: string;
  /** Hexadecimal digest of the evidence, or its first characters, as the approver named it. */
  readonly evidence?: string;
  /** The evidence that stood when the approval arrived, or the first one after it. */
  readonly given?: Digest;
  readonly comment?: string;
  /** ISO 8601. */
  readonly at: string;
}

export type JudgedApproval = Approval &
  ({ readonly counts: true; readonly group: string } | { readonly counts: false; readonly reason: string });

export interface Shortfall {
  readonly group: string;
  /** Approvals still wanted. */
  readonly count: number;
  readonly candidates: readonly string[];
}

export interface Tally {
  readonly satisfied: boolean;
  readonly missing: readonly Shortfall[];
  readonly judged: readonly JudgedApproval[];
}

/**
 * Counts the approvals that stand for `evidence`.
 * A person counts once; one who is in several groups counts where they are needed most.
 * @param evidence digest as it stands now; absent while there is none, when nothing counts yet
 * @param approvals in the order they arrived
 */
export function tally(
  policy: ApprovalPolicy,
  evidence: Digest | undefined,
  startedBy: string,
  approvals: readonly Approval[],
): Tally {
  const seats = new Seats(policy);
  const objections = approvals.map((approval) => {
    const against = objection(policy, evidence, startedBy, approval, seats);
    if (against !== undefined) return against;
    if (seats.take(approval.by)) return undefined;
    return `${groupsOf(policy, approval.by).join(' and ')} already has all the approvals it needs`;
  });
  const judged = approvals.map((approval, i): JudgedApproval => {
    const reason = objections[i];
    return reason === undefined
      ? { ...approval, counts: true, group: seats.groupOf(approval.by) }
      : { ...approval, counts: false, reason };
  });
  const unavailable = new Set([...seats.people(), ...barred(policy, startedBy)]);
  const missing = shortfalls(policy, seats.free(), unavailable);
  return { satisfied: evidence !== undefined && missing.length === 0, missing, judged };
}

/** Who counts for which group: a bipartite matching, grown by augmenting paths (Kuhn's algorithm). */
class Seats {
  readonly #policy: ApprovalPolicy;
  readonly #taken = new Map<string, string>();

  constructor(policy: ApprovalPolicy) {
    this.#policy = policy;
  }

  /** Finds a seat for `person`, moving others to another of their groups where that makes room. */
  take(person: string, tried = new Set<string>()): boolean {
    for (const group of groupsOf(this.#policy, person).filter((name) => !tried.has(name))) {
      tried.add(group);
      const sitting = this.#in(group);
      const room = sitting.length < (this.#policy.required[group] ?? 0);
      if (room || sitting.some((other) => this.take(other, tried))) {
        this.#taken.set(person, group);
        return true;
      }
    }
    return false;
  }

  groupOf(person: string): string {
    return this.#taken.get(person) ?? '';
  }

  people(): string[] {
    return [...this.#taken.keys()];
  }

  free(): Map<string, number> {
    const required = Object.entries(this.#policy.required);
    return new Map(required.map(([group, count]) => [group, count - this.#in(group).length]));
  }

  #in(group: string): string[] {
    return this.people().filter((person) => this.#taken.get(person) === group);
  }
}

/**
 * What would still be missing if everybody who may approved: nobody counts for two groups.
 * @returns by group how many approvals too few, and all who may give one
 */
export function unreachable(policy: ApprovalPolicy, startedBy: string): Shortfall[] {
  const out = new Set(barred(policy, startedBy));
  const seats = new Seats(policy);
  for (const person of new Set(Object.values(policy.groups).flat())) if (!out.has(person)) seats.take(person);
  return shortfalls(policy, seats.free(), out);
}

/** Whether the policy lets this person send this signal. Names are claims unless the namespace authenticates them. */
export function mayDo(
  policy: SignalPolicy,
  signal: HumanSignal,
  by: string,
): { allowed: boolean; reason: string } {
  const groups = policy.allowed[signal];
  if (groups === undefined) return { allowed: true, reason: '' };
  const members = groups.flatMap((group) => policy.groups[group] ?? []);
  return members.includes(by)
    ? { allowed: true, reason: '' }
    : {
        allowed: false,
        reason: `${by} is not in ${groups.join(' or ')}, who may ${signal}: ${members.join(', ')}`,
      };
}

function objection(
  policy: ApprovalPolicy,
  evidence: Digest | undefined,
  startedBy: string,
  approval: Approval,
  seats: Seats,
): string | undefined {
  const { by } = approval;
  if (groupsOf(policy, by).length === 0) {
    return `${by} is not in ${Object.keys(policy.required).join(' or ')}, whose approval is asked`;
  }
  if (barred(policy, startedBy).includes(by)) return `${by} started this run and may not approve it`;
  if (evidence === undefined) return 'there is no evidence yet: it is counted once there is';
  if (approval.evidence === undefined) {
    if (policy.evidenceRequired) return 'it names no evidence, and this environment requires it';
    if (approval.given !== undefined && approval.given !== evidence) return 'the evidence has changed since';
  } else if (!hexadecimal(evidence).startsWith(approval.evidence)) {
    return `it is for evidence ${approval.evidence.slice(0, 12)}, the evidence now is ${hexadecimal(evidence).slice(0, 12)}`;
  }
  return seats.people().includes(by) ? `${by} has approved already` : undefined;
}

function shortfalls(
  policy: ApprovalPolicy,
  wanted: ReadonlyMap<string, number>,
  unavailable: ReadonlySet<string>,
): Shortfall[] {
  return [...wanted]
    .filter(([, count]) => count > 0)
    .map(([group, count]) => ({
      group,
      count,
      candidates: (policy.groups[group] ?? []).filter((person) => !unavailable.has(person)),
    }));
}

function groupsOf(policy: ApprovalPolicy, person: string): string[] {
  return Object.keys(policy.required).filter((group) => policy.groups[group]?.includes(person));
}

function barred(policy: ApprovalPolicy, startedBy: string): string[] {
  return policy.starterMayApprove ? [] : [startedBy];
}

function hexadecimal(digest: Digest): string {
  return digest.replace(/^sha256:/, '');
}
