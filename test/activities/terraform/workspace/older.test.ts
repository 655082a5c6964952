import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { createSourceRepository } from '../../../../src/activities/source/repository.ts';
import { temporaryDirectories } from '../../process/support.ts';
import { aTerraform, failureOf, inActivity, perform } from '../support.ts';

const newDirectory = temporaryDirectories();

const ZONES = `
variable "zone" {
  default = "none"
}
variable "others" {
  type    = list(string)
  default = []
}
output "zones" {
  value = join(" ", concat([var.zone], var.others))
}`;

/** Terraform, and the commits that were checked out for it. */
async function aTerraformAndItsCheckouts() {
  const base = await newDirectory();
  const repository = join(base, 'upstream');
  const dataDirectory = join(base, 'data');
  const source = createSourceRepository({ repository, dataDirectory, environment: process.env });
  const commits: string[] = [];
  const checkout: typeof source.checkout = (commit, directory) => {
    commits.push(commit);
    return source.checkout(commit, directory);
  };
  return { t: aTerraform(base, { source: { checkout } }), commits };
}

test('going back leaves out a variable file that the older commit does not have, and reads the others', async () => {
  const t = aTerraform(await newDirectory());
  t.repository.commit({ 'terraform/all.tfvars': 'zone = "a"\n' });
  const older = t.release(ZONES, { variableFiles: ['all.tfvars', 'production.tfvars'] });
  expect((await t.restore(older)).outputs).toEqual({ zones: 'a' });
});

test('going back refuses a variable file by a link that leads out of the repository', async () => {
  const t = aTerraform(await newDirectory());
  t.repository.commit({ 'terraform/out.tfvars': { link: '/etc/hostname' } });
  const failure = await failureOf(t.restore(t.release(ZONES, { variableFiles: ['out.tfvars'] })));
  expect(failure.type).toBe('PathOutsideRepository');
});

test('going back takes one checkout, whatever of the variables the older configuration declares', async () => {
  const { t, commits } = await aTerraformAndItsCheckouts();
  const variables = { zone: 'a', others: '["b","c"]', size: 'large', colour: 'red' };
  const older = t.release(ZONES, { variables });
  expect((await t.restore(older)).outputs).toEqual({ zones: 'a b c' });
  expect(commits).toEqual([older.release.commit]);
});

test("a variable goes before the configuration's own .tfvars also where another one is left out", async () => {
  const t = aTerraform(await newDirectory());
  t.repository.commit({ 'terraform/terraform.tfvars': 'zone = "z"\nothers = ["y"]\n' });
  const older = t.release(ZONES, { variables: { zone: 'a', others: '["b"]', size: 'large' } });
  expect((await t.restore(older)).outputs).toEqual({ zones: 'a b' });
});

test('drift is looked for in a release that is older than a variable and a file of slipway.yaml', async () => {
  const t = aTerraform(await newDirectory());
  const variables = { zone: 'a', size: 'large' };
  const older = t.release(ZONES, { variables, variableFiles: ['production.tfvars'] });
  const drift = await perform(inActivity(), () => t.activities.detectDrift(older));
  expect(drift).toEqual({ resources: [], omitted: 0 });
});

test('a deployment is refused where its commit lacks a variable or a file of slipway.yaml', async () => {
  const t = aTerraform(await newDirectory());
  const undeclared = await failureOf(t.plan(t.release(ZONES, { variables: { size: 'large' } })));
  expect(undeclared.details).toMatchObject([{ reason: 'UndeclaredVariable' }]);
  const missing = await failureOf(t.plan(t.release(ZONES, { variableFiles: ['production.tfvars'] })));
  expect(missing.type).toBe('PathNotFound');
});
