/** Readers of what `environment` and its holders are sent: anyone may signal it, and a message that cannot be read must not wedge them. */
import { isObject } from './is-object.ts';
import * as read from './input.ts';
import { parseObject, type Parsed } from './input.ts';
import type {
  HolderPong,
  LockAnswer,
  LockProof,
  LockRelease,
  LockReleased,
  LockRequest,
  UndoRecord,
} from './ledger.ts';

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

type Test = (value: unknown) => boolean;

const isText: Test = (value) => typeof value === 'string' && value.length <= LONGEST;
const isFlag: Test = (value) => typeof value === 'boolean';
const isNumber: Test = (value) => Number.isSafeInteger(value);
const isCount: Test = (value) => Number.isSafeInteger(value) && Number(value) >= 1;
const isTexts: Test = (value) => Array.isArray(value) && value.every(isText);
const mayBe =
  (test: Test): Test =>
  (value) =>
    value === undefined || value === null || test(value);

/** Longer texts are no names, versions or reasons of ours: the ledger keeps them for long. */
const LONGEST = 20_000;

const TOKEN = { epoch: isNumber, counter: isNumber };
const PROOF = { requestId: isText, token: shape(TOKEN) };
const REQUEST = {
  requestId: isText,
  workflowId: isText,
  firstExecutionRunId: isText,
  purpose: isText,
  front: mayBe(isFlag),
  mayTakeDirty: mayBe(isFlag),
};
const UNDO = { version: isText, previousVersion: mayBe(isText), recordedAt: isText };
const RECORD = {
  manifest: shape({ version: isText, commit: isText, images: isObject }),
  taskDefinitions: isObject,
  desiredCounts: isObject,
  settings: isTexts,
  approvals: Array.isArray,
  startedBy: isText,
  workflowId: isText,
  runId: isText,
  startedAt: isText,
  endedAt: isText,
  outcome: isText,
};
const RELEASE = {
  ...PROOF,
  workflowId: isText,
  record: mayBe(shape(RECORD)),
  current: mayBe(isFlag),
  dirty: mayBe((value) => typeof value === 'string'),
  keep: mayBe(isCount),
};
const HOLDER = { ...REQUEST, ...PROOF, grantedAt: isText, undo: mayBe(shape(UNDO)) };

export function isLockRequest(message: unknown): message is LockRequest {
  return shape(REQUEST)(message);
}

export function isLockProof(message: unknown): message is LockProof {
  return shape(PROOF)(message);
}

export function isUndoRecord(message: unknown): message is UndoRecord {
  return shape(UNDO)(message);
}

export function isLockRelease(message: unknown): message is LockRelease {
  return shape(RELEASE)(message);
}

export function isHolderPong(message: unknown): message is HolderPong {
  return shape({ requestId: isText, holder: mayBe(shape(HOLDER)) })(message);
}

export function isLockAnswer(message: unknown): message is LockAnswer {
  return (
    shape({ ...PROOF, kind: (kind) => kind === 'granted', grantedAt: isText })(message) ||
    shape({ requestId: isText, kind: (kind) => kind === 'refused', reason: isText })(message)
  );
}

export function isLockReleased(message: unknown): message is LockReleased {
  return shape({ requestId: isText, accepted: isFlag, reason: mayBe(isText) })(message);
}

export function isHolderPing(message: unknown): message is { readonly requestId: string } {
  return shape({ requestId: isText })(message);
}

function shape(tests: Readonly<Record<string, Test>>): Test {
  return (value) => isObject(value) && Object.entries(tests).every(([name, test]) => test(value[name]));
}
