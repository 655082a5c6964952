import type { Client } from '@temporalio/client';
import { ApplicationFailure, WorkflowNotFoundError } from '@temporalio/common';
import { QUERIES } from '../../contract.ts';
import { proves } from '../../domain/environment-state.ts';
import type { Holder } from '../../domain/ledger.ts';
import type { AssertHolder, LockProof } from '../lock.ts';

/** Asks the environment's workflow who holds the lock. A server that doesn't answer is retryable; another answer is final. */
export function createAssertHolder({ client }: { readonly client: Client }): AssertHolder {
  return async (proof) => {
    const holder = await askHolder(client, proof);
    if (!holder || !proves(holder, proof)) throw lockLost(proof, holder);
  };
}

async function askHolder(client: Client, proof: LockProof): Promise<Holder | undefined> {
  try {
    const holder = await client.workflow
      .getHandle(proof.environmentWorkflowId)
      .query<Holder | null>(QUERIES.holder);
    return holder ?? undefined;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    const why = error instanceof Error ? error.message : String(error);
    throw ApplicationFailure.create({
      type: 'EnvironmentUnreachable',
      message: `${proof.environmentWorkflowId} did not say who holds its lock: ${why}`,
      ...(error instanceof Error && { cause: error }),
    });
  }
}

function lockLost(proof: LockProof, holder: Holder | undefined): ApplicationFailure {
  const now = holder ? `it is held by ${holder.workflowId} (${holder.purpose})` : 'nobody holds it';
  return ApplicationFailure.nonRetryable(
    `This run lost the lock of ${proof.environmentWorkflowId}: ${now}. Nothing was written. Look at what the environment runs before starting again.`,
    'LockLost',
    { requestId: proof.requestId, token: proof.token, ...(holder && { holder: holder.workflowId }) },
  );
}
