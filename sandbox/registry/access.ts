import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Store } from '../store.ts';
import { RegistryError } from './errors.ts';

const TOKEN_HOURS = 12;

/** Passwords for the registry, as ECR hands them out: user `AWS`, good for 12 hours, checked without being kept. */
export interface RegistryAccess {
  issue(): { readonly password: string; readonly expiresAt: Date };
  /** @param authorization the request's header. @throws RegistryError UNAUTHORIZED or DENIED */
  check(authorization: string | undefined): void;
}

export function createRegistryAccess(store: Store, now: () => number): RegistryAccess {
  const secrets = store.table<string>('registry.secret');
  if (secrets.get('key') === undefined) secrets.set('key', randomBytes(32).toString('base64'));
  const sign = (expiry: string): Buffer =>
    createHmac('sha256', secrets.get('key') ?? '')
      .update(expiry)
      .digest();

  return {
    issue() {
      const expiresAt = new Date(now() + TOKEN_HOURS * 3_600_000);
      const expiry = expiresAt.getTime().toString(36);
      return { password: `${expiry}.${sign(expiry).toString('base64url')}`, expiresAt };
    },
    check(authorization) {
      const [scheme, encoded = ''] = (authorization ?? '').split(' ');
      if (scheme?.toLowerCase() !== 'basic')
        throw new RegistryError('UNAUTHORIZED', 'no basic auth credentials');
      const [user, password = ''] = Buffer.from(encoded, 'base64').toString('utf8').split(':');
      const [expiry = '', signature = ''] = password.split('.');
      const given = Buffer.from(signature, 'base64url');
      const expected = sign(expiry);
      if (user !== 'AWS' || given.length !== expected.length || !timingSafeEqual(given, expected)) {
        throw new RegistryError(
          'DENIED',
          'Your authorization token is invalid. Get one by ecr:GetAuthorizationToken.',
        );
      }
      if (Number.parseInt(expiry, 36) < now()) {
        throw new RegistryError(
          'DENIED',
          'Your authorization token has expired. Reauthenticate and try again.',
        );
      }
    },
  };
}
