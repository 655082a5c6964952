import { readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import { eventually, temporaryDirectories } from '../process/support.ts';
import { LOCK, TARGET, aTerraform, failureOf, inActivity } from './support.ts';

const newDirectory = temporaryDirectories();
const WEB = `
variable "release_version" {
  type = string
}
resource "terraform_data" "web" {
  input = var.release_version
}
output "url" {
  value = "http://web/\${terraform_data.web.output}"
}
output "count" {
  value = 3
}
output "password" {
  value     = "hunter2"
  sensitive = true
}
`;

async function filesUnder(directory: string): Promise<string[]> {
  return readdir(directory, { recursive: true });
}

describe('planTerraform', () => {
  test('says what would change, with the version where the configuration declares it, changes nothing and leaves nothing behind', async () => {
    const t = aTerraform(await newDirectory());
    const input = t.release(WEB);
    const planned = await t.plan(input);
    expect(planned.changeSet.counts).toEqual({ create: 1, update: 0, replace: 0, delete: 0 });
    expect(planned.changeSet.changes.map(({ address }) => address)).toContain('terraform_data.web');
    expect(planned.rendering).toContain('+ terraform_data.web: create\n    input: "1.0.0"');
    expect(planned.rendering).not.toContain('hunter2');
    expect(planned.refusals).toEqual([]);
    await expect(readFile(t.state)).rejects.toThrow('ENOENT');
    expect(await filesUnder(join(t.dataDirectory, 'terraform', 'writing', 'production'))).toEqual([]);
  });

  test('has the same digest each time, and another for another version', async () => {
    const t = aTerraform(await newDirectory());
    const digest = async (version: string) => {
      const planned = await t.plan(t.release(WEB, {}, version));
      return planned.changeSet.digest;
    };
    const first = await digest('1.0.0');
    expect(await digest('1.0.0')).toBe(first);
    expect(await digest('1.0.1')).not.toBe(first);
  });

  test('uses variables and variable files', async () => {
    const t = aTerraform(await newDirectory());
    t.repository.commit({ 'terraform/environments/production.tfvars': 'size = "large"\n' });
    const configuration = `variable "size" {}\nvariable "name" {}\nresource "terraform_data" "x" { input = "\${var.name} \${var.size}" }`;
    const policy = { variables: { name: 'web' }, variableFiles: ['environments/production.tfvars'] };
    const planned = await t.plan(t.release(configuration, policy));
    expect(planned.rendering).toContain('input: "web large"');
  });

  test('shows AWS and Terraform variables to terraform, and nothing else of the worker', async () => {
    const t = aTerraform(await newDirectory());
    const configuration = `resource "terraform_data" "x" {
      provisioner "local-exec" { command = "env > \${var.to}" }
    }
    variable "to" {}`;
    const directory = await newDirectory();
    const input = t.release(configuration, { variables: { to: join(directory, 'seen') } });
    await t.restore(input);
    const seen = await readFile(join(directory, 'seen'), 'utf8');
    expect(seen).toContain('AWS_SECRET_ACCESS_KEY=the-worker-key');
    expect(seen).toContain('AWS_REGION=eu-west-1');
    expect(seen).not.toMatch(/TEMPORAL_API_KEY|npm_/);
  });

  test('lists what the guards refuse', async () => {
    const t = aTerraform(await newDirectory());
    await t.restore(t.release(WEB));
    const planned = await t.plan(t.release(''));
    expect(planned.refusals).toEqual([
      {
        name: 'terraform: nothing is destroyed',
        passed: false,
        detail: expect.stringContaining('terraform_data.web (delete)'),
      },
    ]);
  });
});

describe('applyTerraform', () => {
  test('applies what was approved and hands back the outputs that are strings and no secret', async () => {
    const t = aTerraform(await newDirectory());
    const input = t.release(WEB);
    const { changeSet } = await t.plan(input);
    const applied = await t.apply({ ...input, approved: changeSet });
    expect(applied).toEqual({
      outputs: { url: 'http://web/1.0.0' },
      changed: true,
      counts: changeSet.counts,
    });
    expect(await t.outputs(input)).toEqual(applied.outputs);
    expect(await filesUnder(join(t.dataDirectory, 'terraform', 'writing', 'production'))).toEqual([]);
  });

  test('applies nothing of a plan that is not the approved one, and says what differs', async () => {
    const t = aTerraform(await newDirectory());
    const { changeSet } = await t.plan(t.release(WEB));
    const other = t.release(`${WEB}\nresource "terraform_data" "extra" {}`);
    const failure = await failureOf(t.apply({ ...other, approved: changeSet }));
    expect(failure).toMatchObject({ type: 'ChangeSetDiffers', nonRetryable: true });
    expect(failure.message).toContain('terraform_data.extra: create was not approved');
    await expect(readFile(t.state)).rejects.toThrow('ENOENT');
  });

  test('asks for the lock after planning and right before it applies', async () => {
    const state = { path: '' };
    const t = aTerraform(await newDirectory(), {
      assertHolder: async (proof) => {
        expect(proof).toEqual(LOCK);
        await expect(readFile(state.path)).rejects.toThrow('ENOENT');
        throw ApplicationFailure.nonRetryable('taken', 'LockLost');
      },
    });
    state.path = t.state;
    const input = t.release(WEB);
    const { changeSet } = await t.plan(input);
    const apply = { ...input, approved: changeSet };
    expect(await failureOf(t.apply(apply))).toMatchObject({ type: 'LockLost' });
    await expect(readFile(t.state)).rejects.toThrow('ENOENT');
  });

  test('destroys with the consent of the policy only', async () => {
    const t = aTerraform(await newDirectory());
    await t.restore(t.release(WEB));

    const removal = t.release('', {}, '2.0.0');
    const { changeSet: approved } = await t.plan(removal);
    const failure = await failureOf(t.apply({ ...removal, approved }));
    expect(failure).toMatchObject({ type: 'DestroyRefused', nonRetryable: true });
    const allowed = { ...removal, terraform: { ...removal.terraform, allowDestroy: true } };
    const applied = await t.apply({ ...allowed, approved });
    expect(applied.counts.delete).toBe(1);
  });

  test('a retry may find a part done, a first attempt may not', async () => {
    const t = aTerraform(await newDirectory());
    const input = t.release(`${WEB}\nresource "terraform_data" "after" { input = terraform_data.web.id }`);
    const { changeSet } = await t.plan(input);
    await t.restore(t.release(WEB));

    const apply = { ...input, approved: changeSet };
    const refused = await failureOf(t.apply(apply, inActivity('2', 1)));
    expect(refused.message).toContain('terraform_data.web: approved, but no longer planned');
    const applied = await t.apply(apply, inActivity('2', 2));
    expect(applied.counts.create).toBe(1);
    const again = await t.apply({ ...apply, resuming: true }, inActivity('3', 1));
    expect(again).toMatchObject({ changed: false, counts: { create: 0 } });
  });
});

describe('restoreTerraform', () => {
  test('goes back to the configuration of the release before', async () => {
    const t = aTerraform(await newDirectory());
    const before = t.release(WEB, {}, '1.0.0');
    const after = t.release(WEB, {}, '1.1.0');
    await t.restore(after);
    const restored = await t.restore(before);
    expect(restored).toMatchObject({
      outputs: { url: 'http://web/1.0.0' },
      changed: true,
      counts: { update: 1 },
    });
    const twice = await t.restore(before);
    expect(twice).toMatchObject({ outputs: { url: 'http://web/1.0.0' }, changed: false });
  });

  test('deletes what the failed release added without the consent that other deletions need', async () => {
    const t = aTerraform(await newDirectory());
    const before = t.release(WEB, {}, '1.0.0');
    await t.restore(before);
    const after = t.release(`${WEB}\nresource "terraform_data" "added" {}`, {}, '1.0.0');
    const { changeSet: failed } = await t.plan(after);
    await t.apply({ ...after, approved: failed });

    const refused = await failureOf(t.restore({ ...t.release(''), failed }));
    expect(refused.message).toContain('terraform_data.web (delete)');
    expect(refused.message).not.toContain('terraform_data.added');
    const restored = await t.restore({ ...before, failed });
    expect(restored.counts).toEqual({ create: 0, update: 0, replace: 0, delete: 1 });
  });

  test('leaves out variables that the older configuration does not declare, and keeps the others', async () => {
    const t = aTerraform(await newDirectory());
    const variables = { size: 'large', zone: 'a', colour: 'red' };
    const older = `variable "zone" {}
      output "zone" {
        value = var.zone
      }`;
    const restored = await t.restore(t.release(older, { variables }));
    expect(restored.outputs).toEqual({ zone: 'a' });
  });

  test('refuses to destroy what only the later release has', async () => {
    const t = aTerraform(await newDirectory());
    await t.restore(t.release(WEB));
    const failure = await failureOf(t.restore(t.release('')));
    expect(failure.type).toBe('DestroyRefused');
  });
});

describe('readOutputs', () => {
  test('is empty when nothing was ever applied', async () => {
    const t = aTerraform(await newDirectory());
    expect(await t.outputs(t.release(WEB))).toEqual({});
  });
});

describe('checkTerraform', () => {
  test('passes for a valid configuration', async () => {
    const t = aTerraform(await newDirectory());
    expect(await t.check(t.release(WEB))).toMatchObject({
      passed: true,
    });
  });

  test.each([
    ['an unknown attribute', 'resource "terraform_data" "x" { colour = "red" }', {}, 'Unsupported argument'],
    ['a syntax error', 'resource "terraform_data" {', {}, 'Unclosed configuration block'],
    ['no such directory', '', { directory: 'infrastructure' }, 'no file infrastructure'],
    ['a directory outside', '', { directory: '../..' }, 'has ".."'],
    [
      'a backend path in the checkout',
      '',
      { backend: { path: 'state.tfstate' } },
      "local backend's path is state.tfstate",
    ],
    ['an unknown backend field', '', { backend: { colour: 'red' } }, 'environments.<name>.terraform.backend'],
  ])('fails for %s and says why', async (_name, configuration, policy, why) => {
    const t = aTerraform(await newDirectory());
    const check = await t.check(t.release(configuration, policy));
    expect(check).toMatchObject({ passed: false, detail: expect.stringContaining(why) });
  });

  test('fails for a configuration without a backend, whose state would go with the checkout', async () => {
    const t = aTerraform(await newDirectory());
    const input = t.release('');
    const commit = t.repository.commit({ 'terraform/main.tf': 'resource "terraform_data" "x" {}' });
    const check = await t.check({
      ...input,
      release: { ...input.release, commit },
    });
    expect(check).toMatchObject({ passed: false, detail: expect.stringContaining('has no backend') });
  });
});

describe('TerraformFailed', () => {
  test.each([
    ['a missing variable', 'variable "size" {}', {}, 'MissingVariable', true],
    ['an undeclared variable', '', { variables: { size: '1' } }, 'UndeclaredVariable', true],
    ['an unsuitable version', 'terraform { required_version = "< 0.1" }', {}, 'TerraformVersion', true],
  ])('names %s and its remedy', async (_name, configuration, policy, reason, nonRetryable) => {
    const t = aTerraform(await newDirectory());
    const failure = await failureOf(t.plan(t.release(configuration, policy)));
    expect(failure).toMatchObject({ type: 'TerraformFailed', nonRetryable, details: [{ reason }] });
  });

  test('a bad for_each fails its plan at once', async () => {
    const t = aTerraform(await newDirectory());
    const configuration = `resource "terraform_data" "first" {}
      resource "terraform_data" "x" { for_each = toset([terraform_data.first.id]) }`;
    const failure = await failureOf(t.plan(t.release(configuration)));
    expect(failure).toMatchObject({
      type: 'TerraformFailed',
      nonRetryable: true,
      details: [{ reason: 'UnknownCount', phase: 'plan' }],
    });
    expect(failure.message).toContain('Invalid for_each argument');
  });

  test('a held state lock is worth another attempt', async () => {
    const t = aTerraform(await newDirectory());
    const input = t.release(WEB);
    const { changeSet } = await t.plan(input);
    const apply = { ...input, approved: changeSet };
    await writeFile(`${t.state}.holder`, '');
    const hold = `resource "terraform_data" "hold" {
      provisioner "local-exec" {
        command = "touch ${t.state}.held; while [ -e ${t.state}.holder ]; do sleep 0.05; done"
      }
    }`;
    const holding = t.apply(t.release(hold, {}, '0.9.0'), inActivity('h'));
    await eventually(() => readFile(`${t.state}.held`).catch(() => undefined));

    const failure = await failureOf(t.apply(apply));
    await rm(`${t.state}.holder`);
    await holding;
    expect(failure).toMatchObject({
      type: 'TerraformFailed',
      nonRetryable: false,
      details: [{ reason: 'StateLocked' }],
    });
    expect(failure.message).toContain('slipway terraform unlock');
  });

  test('a failed apply is not tried again, and shows no secret', async () => {
    const t = aTerraform(await newDirectory());
    const configuration = `variable "secret" {
      sensitive = true
      default   = "hush-hush"
    }
    resource "terraform_data" "x" {
      input = var.secret
      provisioner "local-exec" { command = "echo hush-hush the-worker-key >&2; exit 3" }
    }`;
    const failure = await failureOf(t.restore(t.release(configuration)));
    expect(failure).toMatchObject({ type: 'TerraformFailed', nonRetryable: true });
    expect(failure.message).toContain(
      `terraform apply failed in ${TARGET.environment}: local-exec provisioner error`,
    );
    expect(failure.message + JSON.stringify(failure.details)).not.toMatch(/hush-hush|the-worker-key/);
  });

  test('a binary that is not there says so', async () => {
    const t = aTerraform(await newDirectory(), { binary: 'no-such-terraform' });
    const failure = await failureOf(t.plan(t.release(WEB)));
    expect(failure).toMatchObject({ nonRetryable: true, details: [{ reason: 'TerraformMissing' }] });
  });
});
