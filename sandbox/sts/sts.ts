import { randomBytes } from 'node:crypto';
import type { AssumeRoleRequest, Credentials, GetSessionTokenRequest } from '@aws-sdk/client-sts';
import type { Clock } from '../clock.ts';
import type { Given } from '../protocol/given.ts';
import { AwsError } from '../protocol/service.ts';
import type { Operation, RequestContext, ServiceDefinition } from '../protocol/service.ts';
import type { Store, Table } from '../store.ts';
import { newAccessKeyId } from './access-key.ts';

/** Who holds temporary credentials, by access key id. */
interface Session {
  readonly account: string;
  readonly arn: string;
  readonly userId: string;
  readonly expires: string;
}

interface Sessions {
  readonly table: Table<Session>;
  readonly clock: Clock;
}

const DEFAULT_SECONDS = 3600;
const SESSION_TOKEN_SECONDS = 43_200;

/** AWS Security Token Service. Long-term keys belong to the sandbox's own account; no password or policy is checked. */
export function createSts({ store, clock }: { store: Store; clock: Clock }): { service: ServiceDefinition } {
  const sessions: Sessions = { table: store.table<Session>('sts.sessions'), clock };
  const operations = {
    GetCallerIdentity: getCallerIdentity(sessions),
    AssumeRole: assumeRole(sessions),
    GetSessionToken: getSessionToken(sessions),
  };
  return { service: { model: 'sts', operations } };
}

function getCallerIdentity(sessions: Sessions): Operation<unknown> {
  return (_input, request) => {
    const { account, arn, userId } = callerOf(sessions, request);
    return { Account: account, Arn: arn, UserId: userId };
  };
}

/** @throws AwsError InvalidClientTokenId for temporary credentials that nobody was given, ExpiredToken for those of the past */
function callerOf({ table, clock }: Sessions, request: RequestContext): Omit<Session, 'expires'> {
  const id = request.accessKeyId ?? '';
  const session = table.get(id);
  if (session) {
    if (Date.parse(session.expires) > clock.now()) return session;
    throw new AwsError('ExpiredToken', 'The security token included in the request is expired', {
      status: 403,
    });
  }
  if (id.startsWith('ASIA')) {
    throw new AwsError('InvalidClientTokenId', 'The security token included in the request is invalid.', {
      status: 403,
    });
  }
  const { accountId } = request;
  return { account: accountId, arn: `arn:aws:iam::${accountId}:root`, userId: accountId };
}

function assumeRole(sessions: Sessions): Operation<Given<AssumeRoleRequest, 'RoleArn' | 'RoleSessionName'>> {
  return ({ RoleArn, RoleSessionName, DurationSeconds = DEFAULT_SECONDS, SourceIdentity }, request) => {
    callerOf(sessions, request);
    const [, account, path] = /^arn:aws[\w-]*:iam::(\d{12}):role\/(.+)$/.exec(RoleArn) ?? [];
    const role = path?.split('/').at(-1);
    if (account === undefined || role === undefined) {
      throw new AwsError('ValidationError', `${RoleArn} is invalid`);
    }
    const roleId = `AROA${account}${Buffer.from(role).toString('hex').toUpperCase()}`.slice(0, 21);
    const session = {
      account,
      arn: `arn:aws:sts::${account}:assumed-role/${role}/${RoleSessionName}`,
      userId: `${roleId}:${RoleSessionName}`,
    };
    return {
      Credentials: grant(sessions, session, DurationSeconds),
      AssumedRoleUser: { AssumedRoleId: session.userId, Arn: session.arn },
      SourceIdentity,
    };
  };
}

function getSessionToken(sessions: Sessions): Operation<GetSessionTokenRequest> {
  return ({ DurationSeconds = SESSION_TOKEN_SECONDS }, request) => {
    if (request.accessKeyId?.startsWith('ASIA') === true) {
      throw new AwsError('AccessDenied', 'Cannot call GetSessionToken with session credentials', {
        status: 403,
      });
    }
    return { Credentials: grant(sessions, callerOf(sessions, request), DurationSeconds) };
  };
}

/** New credentials; forgets those that have expired. */
function grant({ table, clock }: Sessions, session: Omit<Session, 'expires'>, seconds: number): Credentials {
  const now = clock.now();
  for (const [id, { expires }] of table.entries()) if (Date.parse(expires) < now) table.delete(id);
  const expiration = new Date(now + seconds * 1000);
  const accessKeyId = newAccessKeyId(session.account);
  table.set(accessKeyId, { ...session, expires: expiration.toISOString() });
  return {
    AccessKeyId: accessKeyId,
    SecretAccessKey: randomBytes(30).toString('base64'),
    SessionToken: randomBytes(192).toString('base64'),
    Expiration: expiration,
  };
}
