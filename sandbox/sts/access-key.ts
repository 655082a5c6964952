import { randomBytes } from 'node:crypto';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const ID = /^(?:AKIA|ASIA)([A-Z2-7]{16})$/;
/** An account number takes 40 bits, one bit into the id; the rest is chance. */
const ACCOUNT_BYTES = 6;
const ACCOUNT_SHIFT = 7n;

/**
 * An access key id for temporary credentials, which carries its account as AWS's own ids do: base 32 behind the
 * prefix, with the account in bits 1 to 40.
 */
export function newAccessKeyId(accountId: string): string {
  const head = BigInt(accountId) << ACCOUNT_SHIFT;
  const bytes = Buffer.concat([bytesOf(head), randomBytes(4)]);
  return `ASIA${base32(bytes)}`;
}

/** The account in an access key id; undefined for an id that isn't of AWS's form. */
export function accountOf(accessKeyId: string): string | undefined {
  const encoded = ID.exec(accessKeyId)?.[1];
  if (encoded === undefined) return undefined;
  const bits = encoded.split('').reduce((sum, letter) => (sum << 5n) | BigInt(ALPHABET.indexOf(letter)), 0n);
  const head = bits >> BigInt(encoded.length * 5 - ACCOUNT_BYTES * 8);
  const account = (head & 0x7fff_ffff_ff80n) >> ACCOUNT_SHIFT;
  return account > 999_999_999_999n ? undefined : account.toString().padStart(12, '0');
}

function bytesOf(value: bigint): Buffer {
  return Buffer.from(value.toString(16).padStart(ACCOUNT_BYTES * 2, '0'), 'hex');
}

function base32(bytes: Buffer): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return (bits.match(/.{5}/g) ?? []).map((five) => ALPHABET[Number.parseInt(five, 2)]).join('');
}
