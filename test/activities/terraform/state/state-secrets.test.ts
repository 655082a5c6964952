import { expect, test } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { temporaryDirectories } from '../../process/support.ts';
import { aTerraform, failureOf } from '../support.ts';
import type { Fixture } from '../support.ts';

const newDirectory = temporaryDirectories();

/** The value that the state marks as sensitive, and no plan ever told. */
async function generatedIn(t: Fixture): Promise<string> {
  const [found = ''] = /pw-[0-9a-f-]{36}/.exec(await readFile(t.state, 'utf8')) ?? [];
  expect(found).toHaveLength(39);
  return found;
}
const told = (failure: Error & { details?: unknown }) =>
  JSON.stringify([failure.message, failure.details, failure.cause]);

test('a secret that an apply itself made is not in its failure', async () => {
  const t = aTerraform(await newDirectory());
  const input = t.release(`
    resource "terraform_data" "password" { input = sensitive("pw-\${uuid()}") }
    resource "terraform_data" "use" {
      provisioner "local-exec" {
        command     = "echo could not log in with $PW >&2; exit 1"
        environment = { PW = terraform_data.password.output }
      }
    }`);
  const failure = await failureOf(t.apply(input));
  expect(failure.message).toContain('could not log in with ***');
  expect(told(failure)).not.toContain(await generatedIn(t));
});

test('a secret that the state alone has is not in the failure of a plan', async () => {
  const t = aTerraform(await newDirectory());
  const password = `
    resource "terraform_data" "password" {
      input = sensitive("pw-\${uuid()}")
      lifecycle { ignore_changes = [input] }
    }`;
  await t.apply(t.release(password));
  const failure = await failureOf(
    t.plan(t.release(`${password}\noutput "content" { value = file(terraform_data.password.output) }`)),
  );
  expect(failure.message).toContain('Invalid function argument');
  expect(told(failure)).toContain('***');
  expect(told(failure)).not.toContain(await generatedIn(t));
});
