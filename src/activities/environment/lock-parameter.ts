import { GetParameterCommand, ParameterNotFound, PutParameterCommand } from '@aws-sdk/client-ssm';
import { ApplicationFailure } from '@temporalio/common';
import type { Target } from '../../domain/policy.ts';
import type { AwsClients } from '../aws.ts';

/** Who held the environment's lock, as far as it takes to find that run again. */
export interface RecordedHolder {
  readonly workflowId: string;
  readonly firstExecutionRunId: string;
  readonly requestId: string;
}

/** What outlives the environment's workflow, in the SSM parameter `/<platform>/<environment>/slipway-lock`. */
export interface LockRecord {
  readonly epoch: number;
  readonly holder?: RecordedHolder;
}

function lockParameter({ platform, environment }: Pick<Target, 'platform' | 'environment'>): string {
  return `/${platform}/${environment}/slipway-lock`;
}

/** @returns what is recorded; epoch 0 when nothing ever was @throws non-retryable `LockRecordUnreadable` */
export async function readLockRecord(aws: AwsClients, target: Target): Promise<LockRecord> {
  const name = lockParameter(target);
  try {
    const { Parameter } = await aws.clientsFor(target).ssm.send(new GetParameterCommand({ Name: name }));
    return parse(name, Parameter?.Value ?? '');
  } catch (error) {
    if (error instanceof ParameterNotFound) return { epoch: 0 };
    throw error;
  }
}

export async function writeLockRecord(aws: AwsClients, target: Target, record: LockRecord): Promise<void> {
  const request = {
    Name: lockParameter(target),
    Value: JSON.stringify(record),
    Type: 'String',
    Overwrite: true,
  } as const;
  await aws.clientsFor(target).ssm.send(new PutParameterCommand(request));
}

function parse(name: string, text: string): LockRecord {
  try {
    const record: unknown = JSON.parse(text);
    if (isLockRecord(record)) return record;
  } catch {
    // Told below, beside JSON of another shape.
  }
  throw ApplicationFailure.nonRetryable(
    `The SSM parameter ${name} holds no lock record: ${text.slice(0, 200)}. Put its earlier version back (\`aws ssm get-parameter-history --name ${name}\`).`,
    'LockRecordUnreadable',
    { name },
  );
}

function isLockRecord(value: unknown): value is LockRecord {
  if (typeof value !== 'object' || value === null || !('epoch' in value)) return false;
  const holder = 'holder' in value ? value.holder : undefined;
  return Number.isInteger(value.epoch) && (holder === undefined || isHolder(holder));
}

function isHolder(value: unknown): value is RecordedHolder {
  const fields = ['workflowId', 'firstExecutionRunId', 'requestId'];
  const given = new Map(typeof value === 'object' && value ? Object.entries(value) : []);
  return fields.every((field) => typeof given.get(field) === 'string');
}
