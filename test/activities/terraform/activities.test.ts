import { readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import { temporaryDirectories } from '../process/support.ts';
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
  test('says what would change, with the version where the configuration declares it, and changes nothing', async () => {
    const { activities, release, state } = aTerraform(await newDirectory());
    const input = release(WEB);
    const plan = await inActivity().run((x) => activities.planTerraform(x), input);
    expect(plan.changeSet.counts).toEqual({ create: 1, update: 0, replace: 0, delete: 0 });
    expect(plan.changeSet.changes.map(({ address }) => address)).toContain('terraform_data.web');
    expect(plan.rendering).toContain('+ terraform_data.web: create\n    input: "1.0.0"');
    expect(plan.rendering).not.toContain('hunter2');
    expect(plan.refusals).toEqual([]);
    await expect(readFile(state)).rejects.toThrow('ENOENT');
  });

  test('has the same digest each time, and another for another version', async () => {
    const { activities, release } = aTerraform(await newDirectory());
    const digest = async (version: string) => {
      const plan = await inActivity().run((x) => activities.planTerraform(x), release(WEB, {}, version));
      return plan.changeSet.digest;
    };
    const first = await digest('1.0.0');
    expect(await digest('1.0.0')).toBe(first);
    expect(await digest('1.0.1')).not.toBe(first);
  });

  test('leaves no plan, no state and no output behind', async () => {
    const { activities, release, dataDirectory } = aTerraform(await newDirectory());
    await inActivity().run((x) => activities.planTerraform(x), release(WEB));
    expect(await filesUnder(join(dataDirectory, 'terraform', 'writing', 'production'))).toEqual([]);
  });

  test('uses variables and variable files', async () => {
    const { activities, release, repository } = aTerraform(await newDirectory());
    repository.commit({ 'terraform/environments/production.tfvars': 'size = "large"\n' });
    const configuration = `variable "size" {}\nvariable "name" {}\nresource "terraform_data" "x" { input = "\${var.name} \${var.size}" }`;
    const policy = { variables: { name: 'web' }, variableFiles: ['environments/production.tfvars'] };
    const plan = await inActivity().run((x) => activities.planTerraform(x), release(configuration, policy));
    expect(plan.rendering).toContain('input: "web large"');
  });

  test('shows AWS and Terraform variables to terraform, and nothing else of the worker', async () => {
    const { activities, release } = aTerraform(await newDirectory());
    const configuration = `resource "terraform_data" "x" {
      provisioner "local-exec" { command = "env > \${path.root}/../../seen; cp \${path.root}/../../seen ${'$'}{var.to}" }
    }
    variable "to" {}`;
    const directory = await newDirectory();
    const input = release(configuration, { variables: { to: join(directory, 'seen') } });
    const { changeSet } = await inActivity().run((x) => activities.planTerraform(x), input);
    await inActivity().run((x) => activities.applyTerraform(x), {
      ...input,
      approved: changeSet,
      lock: LOCK,
    });
    const seen = await readFile(join(directory, 'seen'), 'utf8');
    expect(seen).toContain('AWS_SECRET_ACCESS_KEY=the-worker-key');
    expect(seen).toContain('AWS_REGION=eu-west-1');
    expect(seen).not.toMatch(/TEMPORAL_API_KEY|npm_/);
  });

  test('lists what the guards refuse', async () => {
    const { activities, release } = aTerraform(await newDirectory());
    const input = release(WEB);
    const { changeSet } = await inActivity().run((x) => activities.planTerraform(x), input);
    await inActivity().run((x) => activities.applyTerraform(x), {
      ...input,
      approved: changeSet,
      lock: LOCK,
    });
    const plan = await inActivity().run((x) => activities.planTerraform(x), release(''));
    expect(plan.refusals).toEqual([
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
    const { activities, release, dataDirectory } = aTerraform(await newDirectory());
    const input = release(WEB);
    const { changeSet } = await inActivity().run((x) => activities.planTerraform(x), input);
    const applied = await inActivity().run((x) => activities.applyTerraform(x), {
      ...input,
      approved: changeSet,
      lock: LOCK,
    });
    expect(applied).toEqual({
      outputs: { url: 'http://web/1.0.0' },
      changed: true,
      counts: changeSet.counts,
    });
    expect(await inActivity().run((x) => activities.readOutputs(x), input)).toEqual(applied.outputs);
    expect(await filesUnder(join(dataDirectory, 'terraform', 'writing', 'production'))).toEqual([]);
  });

  test('applies nothing of a plan that is not the approved one, and says what differs', async () => {
    const { activities, release, state } = aTerraform(await newDirectory());
    const { changeSet } = await inActivity().run((x) => activities.planTerraform(x), release(WEB));
    const other = release(`${WEB}\nresource "terraform_data" "extra" {}`);
    const failure = await failureOf(
      inActivity().run((x) => activities.applyTerraform(x), { ...other, approved: changeSet, lock: LOCK }),
    );
    expect(failure).toMatchObject({ type: 'ChangeSetDiffers', nonRetryable: true });
    expect(failure.message).toContain('terraform_data.extra: create was not approved');
    await expect(readFile(state)).rejects.toThrow('ENOENT');
  });

  test('asks for the lock after planning and right before it applies', async () => {
    const state = { path: '' };
    const fixture = aTerraform(await newDirectory(), {
      assertHolder: async (proof) => {
        expect(proof).toEqual(LOCK);
        await expect(readFile(state.path)).rejects.toThrow('ENOENT');
        throw ApplicationFailure.nonRetryable('taken', 'LockLost');
      },
    });
    state.path = fixture.state;
    const input = fixture.release(WEB);
    const { changeSet } = await inActivity().run((x) => fixture.activities.planTerraform(x), input);
    const apply = { ...input, approved: changeSet, lock: LOCK };
    expect(
      await failureOf(inActivity().run((x) => fixture.activities.applyTerraform(x), apply)),
    ).toMatchObject({ type: 'LockLost' });
    await expect(readFile(fixture.state)).rejects.toThrow('ENOENT');
  });

  test('destroys with the consent of the policy only', async () => {
    const { activities, release } = aTerraform(await newDirectory());
    const input = release(WEB);
    const { changeSet } = await inActivity().run((x) => activities.planTerraform(x), input);
    await inActivity().run((x) => activities.applyTerraform(x), {
      ...input,
      approved: changeSet,
      lock: LOCK,
    });

    const removal = release('', {}, '2.0.0');
    const { changeSet: approved } = await inActivity().run((x) => activities.planTerraform(x), removal);
    const failure = await failureOf(
      inActivity().run((x) => activities.applyTerraform(x), { ...removal, approved, lock: LOCK }),
    );
    expect(failure).toMatchObject({ type: 'DestroyRefused', nonRetryable: true });
    const allowed = { ...removal, terraform: { ...removal.terraform, allowDestroy: true } };
    const applied = await inActivity().run((x) => activities.applyTerraform(x), {
      ...allowed,
      approved,
      lock: LOCK,
    });
    expect(applied.counts.delete).toBe(1);
  });

  test('a retry may find a part done, a first attempt may not', async () => {
    const { activities, release } = aTerraform(await newDirectory());
    const input = release(`${WEB}\nresource "terraform_data" "after" { input = terraform_data.web.id }`);
    const { changeSet } = await inActivity().run((x) => activities.planTerraform(x), input);
    const part = { ...input, release: { ...input.release, commit: release(WEB).release.commit } };
    const { changeSet: first } = await inActivity().run((x) => activities.planTerraform(x), part);
    await inActivity().run((x) => activities.applyTerraform(x), { ...part, approved: first, lock: LOCK });

    const apply = { ...input, approved: changeSet, lock: LOCK };
    const refused = await failureOf(inActivity('2', 1).run((x) => activities.applyTerraform(x), apply));
    expect(refused.message).toContain('terraform_data.web: approved, but no longer planned');
    const applied = await inActivity('2', 2).run((x) => activities.applyTerraform(x), apply);
    expect(applied.counts.create).toBe(1);
    const again = await inActivity('3', 1).run((x) => activities.applyTerraform(x), {
      ...apply,
      resuming: true,
    });
    expect(again).toMatchObject({ changed: false, counts: { create: 0 } });
  });
});

describe('restoreTerraform', () => {
  test('goes back to the configuration of the release before', async () => {
    const { activities, release } = aTerraform(await newDirectory());
    const before = release(WEB, {}, '1.0.0');
    const after = release(WEB, {}, '1.1.0');
    for (const input of [before, after]) {
      const { changeSet } = await inActivity().run((x) => activities.planTerraform(x), input);
      await inActivity().run((x) => activities.applyTerraform(x), {
        ...input,
        approved: changeSet,
        lock: LOCK,
      });
    }
    const restored = await inActivity().run((x) => activities.restoreTerraform(x), { ...before, lock: LOCK });
    expect(restored).toMatchObject({
      outputs: { url: 'http://web/1.0.0' },
      changed: true,
      counts: { update: 1 },
    });
    const twice = await inActivity().run((x) => activities.restoreTerraform(x), { ...before, lock: LOCK });
    expect(twice).toMatchObject({ outputs: { url: 'http://web/1.0.0' }, changed: false });
  });

  test('refuses to destroy what only the later release has', async () => {
    const { activities, release } = aTerraform(await newDirectory());
    const after = release(WEB);
    const { changeSet } = await inActivity().run((x) => activities.planTerraform(x), after);
    await inActivity().run((x) => activities.applyTerraform(x), {
      ...after,
      approved: changeSet,
      lock: LOCK,
    });
    const failure = await failureOf(
      inActivity().run((x) => activities.restoreTerraform(x), { ...release(''), lock: LOCK }),
    );
    expect(failure.type).toBe('DestroyRefused');
  });
});

describe('readOutputs', () => {
  test('is empty when nothing was ever applied', async () => {
    const { activities, release } = aTerraform(await newDirectory());
    expect(await inActivity().run((x) => activities.readOutputs(x), release(WEB))).toEqual({});
  });
});

describe('checkTerraform', () => {
  test('passes for a valid configuration', async () => {
    const { activities, release } = aTerraform(await newDirectory());
    expect(await inActivity().run((x) => activities.checkTerraform(x), release(WEB))).toMatchObject({
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
    const { activities, release } = aTerraform(await newDirectory());
    const check = await inActivity().run((x) => activities.checkTerraform(x), release(configuration, policy));
    expect(check).toMatchObject({ passed: false, detail: expect.stringContaining(why) });
  });

  test('fails for a configuration without a backend, whose state would go with the checkout', async () => {
    const { activities, release, repository } = aTerraform(await newDirectory());
    const input = release('');
    const commit = repository.commit({ 'terraform/main.tf': 'resource "terraform_data" "x" {}' });
    const check = await inActivity().run((x) => activities.checkTerraform(x), {
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
    const { activities, release } = aTerraform(await newDirectory());
    const failure = await failureOf(
      inActivity().run((x) => activities.planTerraform(x), release(configuration, policy)),
    );
    expect(failure).toMatchObject({ type: 'TerraformFailed', nonRetryable, details: [{ reason }] });
  });

  test('a held state lock is worth another attempt', async () => {
    const { activities, release, state } = aTerraform(await newDirectory());
    const input = release(WEB);
    const { changeSet } = await inActivity().run((x) => activities.planTerraform(x), input);
    const apply = { ...input, approved: changeSet, lock: LOCK };
    await writeFile(`${state}.holder`, '');
    const hold = `resource "terraform_data" "hold" { provisioner "local-exec" { command = "touch ${state}.held; while [ -e ${state}.holder ]; do sleep 0.05; done" } }`;
    const other = release(hold, {}, '0.9.0');
    const { changeSet: held } = await inActivity('h').run((x) => activities.planTerraform(x), other);
    const holding = inActivity('h').run((x) => activities.applyTerraform(x), {
      ...other,
      approved: held,
      lock: LOCK,
    });
    while (!(await readdir(join(state, '..'))).includes('state.tfstate.held'))
      await new Promise(setImmediate);

    const failure = await failureOf(inActivity().run((x) => activities.applyTerraform(x), apply));
    await rm(`${state}.holder`);
    await holding;
    expect(failure).toMatchObject({
      type: 'TerraformFailed',
      nonRetryable: false,
      details: [{ reason: 'StateLocked' }],
    });
    expect(failure.message).toContain('terraform force-unlock');
  });

  test('a failed apply is not tried again, and shows no secret', async () => {
    const { activities, release } = aTerraform(await newDirectory());
    const configuration = `variable "secret" {
      sensitive = true
      default   = "hush-hush"
    }
    resource "terraform_data" "x" {
      input = var.secret
      provisioner "local-exec" { command = "echo hush-hush the-worker-key >&2; exit 3" }
    }`;
    const input = release(configuration);
    const { changeSet } = await inActivity().run((x) => activities.planTerraform(x), input);
    const failure = await failureOf(
      inActivity().run((x) => activities.applyTerraform(x), { ...input, approved: changeSet, lock: LOCK }),
    );
    expect(failure).toMatchObject({ type: 'TerraformFailed', nonRetryable: true });
    expect(failure.message).toContain(
      `terraform apply failed in ${TARGET.environment}: local-exec provisioner error`,
    );
    expect(failure.message + JSON.stringify(failure.details)).not.toMatch(/hush-hush|the-worker-key/);
  });

  test('a binary that is not there says so', async () => {
    const { activities, release } = aTerraform(await newDirectory(), { binary: 'no-such-terraform' });
    const failure = await failureOf(inActivity().run((x) => activities.planTerraform(x), release(WEB)));
    expect(failure.message).toContain('no-such-terraform');
  });
});
