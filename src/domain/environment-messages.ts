/** Readers of what `environment` is sent: anyone may signal it, and a message that cannot be read must not wedge it. */
import * as read from './input.ts';
import { parseObject, type Parsed } from './input.ts';
import type { HolderPong, LockProof, LockRelease, LockRequest, UndoRecord } from './ledger.ts';

export interface PersonReason {
  readonly by: string;
  readonly reason: string;
}

export function parsePersonReason(what: string, message: unknown): Parsed<PersonReason> {
  return parseObject<PersonReason>(
    what,
    { by: read.text(100), reason: read.text(2000, { lines: true }) },
    message,
  );
}

export function isLockRequest(message: unknown): message is LockRequest {
  return (
    isObject(message) &&
    ['requestId', 'workflowId', 'firstExecutionRunId', 'purpose'].every(
      (name) => typeof message[name] === 'string',
    )
  );
}

export function isLockProof(message: unknown): message is LockProof {
  return (
    isObject(message) &&
    typeof message['requestId'] === 'string' &&
    isObject(message['token']) &&
    ['epoch', 'counter'].every(
      (name) => typeof (message['token'] as Record<string, unknown>)[name] === 'number',
    )
  );
}

export function isUndoRecord(message: unknown): message is UndoRecord {
  return (
    isObject(message) && typeof message['version'] === 'string' && typeof message['recordedAt'] === 'string'
  );
}

export function isLockRelease(message: unknown): message is LockRelease {
  return (
    isLockProof(message) &&
    'workflowId' in message &&
    typeof message.workflowId === 'string' &&
    (!('record' in message) || isObject(message.record))
  );
}

export function isHolderPong(message: unknown): message is HolderPong {
  if (!isObject(message) || typeof message['requestId'] !== 'string') return false;
  const { holder } = message;
  return holder === undefined || holder === null || (isLockRequest(holder) && isLockProof(holder));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
