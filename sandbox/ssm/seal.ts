import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Store } from '../store.ts';

/** The key that SecureString parameters use when the request names none. */
export const DEFAULT_KEY = 'alias/aws/ssm';

/** Encrypts SecureString values, as KMS does for Parameter Store: what is stored and what is read without decryption is the ciphertext. */
export interface Seal {
  seal(keyId: string, context: string, value: string): string;
  open(keyId: string, context: string, sealed: string): string;
}

const IV_BYTES = 12;
const TAG_BYTES = 16;

/** AES-256-GCM under a key per KMS key id, made when it is first used. `context` (the parameter's ARN) is authenticated, not encrypted. */
export function createSeal(store: Store): Seal {
  const keys = store.table<string>('ssm.keys');
  const keyOf = (keyId: string): Buffer => {
    const known = keys.get(keyId) ?? randomBytes(32).toString('base64');
    if (keys.get(keyId) === undefined) keys.set(keyId, known);
    return Buffer.from(known, 'base64');
  };
  return {
    seal(keyId, context, value) {
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv('aes-256-gcm', keyOf(keyId), iv).setAAD(Buffer.from(context));
      const encrypted = Buffer.concat([cipher.update(value, 'utf8'), cipher.final()]);
      return Buffer.concat([iv, cipher.getAuthTag(), encrypted]).toString('base64');
    },
    open(keyId, context, sealed) {
      const bytes = Buffer.from(sealed, 'base64');
      const decipher = createDecipheriv('aes-256-gcm', keyOf(keyId), bytes.subarray(0, IV_BYTES))
        .setAAD(Buffer.from(context))
        .setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
      const encrypted = bytes.subarray(IV_BYTES + TAG_BYTES);
      return Buffer.concat([decipher.update(encrypted), decipher.final()]).toString('utf8');
    },
  };
}
