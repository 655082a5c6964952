import { createPrivateKey, X509Certificate } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { selfSignedCertificate } from '../../../../sandbox/terraform-provider/plugin/certificate.ts';

test('a certificate is its own authority, for localhost, for a day, and fits its key', () => {
  const now = new Date('2026-01-02T03:04:05Z');

  const { der, pem, privateKey } = selfSignedCertificate(now);

  const certificate = new X509Certificate(pem);
  expect(certificate.raw).toEqual(der);
  expect(certificate.verify(certificate.publicKey)).toBe(true);
  expect(certificate.checkPrivateKey(createPrivateKey(privateKey))).toBe(true);
  expect(certificate.checkHost('localhost')).toBe('localhost');
  expect(certificate.ca).toBe(true);
  expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
  expect(Date.parse(certificate.validTo) - now.getTime()).toBe(86_400_000);
  expect(Date.parse(certificate.validFrom)).toBe(now.getTime() - 60_000);
});
