import { defineQuery, defineUpdate, setHandler } from '@temporalio/workflow';
import { QUERIES } from '../../contract.ts';
import type { Tally } from '../../domain/approval.ts';
import type { Proposal } from '../../domain/deployment-plan.ts';
import { describeProblems } from '../../domain/input.ts';
import type { EnvironmentPolicy } from '../../domain/policy.ts';
import { parsePayload } from '../../domain/requests.ts';
import type { RunStatus } from '../../domain/status.ts';
import type { Ballot } from './ballot.ts';
import type { Inbox } from './inbox.ts';
import type { Progress } from './progress.ts';

interface Run {
  readonly policy: EnvironmentPolicy;
  readonly inbox: Inbox;
  readonly ballot: Ballot;
  readonly progress: Progress;
}

/** Registers what a run answers: the queries `status` and `evidence`, and the updates `approve` and `reject`. */
export function answerQuestions({ policy, inbox, ballot, progress }: Run): void {
  setHandler(defineQuery<RunStatus>(QUERIES.status), () => progress.status(), {
    description: 'Phase, steps, what the run waits for and what to type next',
  });
  setHandler(defineQuery<Proposal | null>(QUERIES.evidence), () => ballot.proposal ?? null, {
    description: "All that an approver agrees to, its digest, and Terraform's plan for people",
  });
  for (const signal of ['approve', 'reject'] as const) {
    const answer = (payload: unknown): Tally | null => {
      inbox.receive(signal, payload);
      progress.show();
      return ballot.tally() ?? null;
    };
    setHandler(defineUpdate<Tally | null, [unknown]>(signal), answer, {
      validator: (payload) => validate(policy, signal, payload),
      description: `As the signal ${signal}, answered with the tally`,
    });
  }
}

function validate(policy: EnvironmentPolicy, signal: 'approve' | 'reject', payload: unknown): void {
  const parsed = parsePayload(signal, payload);
  if (parsed.kind === 'invalid') throw new Error(describeProblems(parsed.problems));
  if (policy.approval === undefined) throw new Error(`${policy.target.environment} asks for no approval`);
}
