import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Connection, WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { stringify } from 'yaml';
import type { RunStatus } from '../../src/domain/status.ts';
import { TestRepository } from '../activities/source/support.ts';
import { anEnvironment } from '../platform/builders.ts';
import { startStateBackend, type StateBackend } from '../terraform/state-backend.ts';
import type { Scene } from '../workflows/scene.ts';
import { Stage } from '../workflows/stage.ts';
import { COMMIT } from '../workflows/world.ts';
import { slipway, type ConsoleOptions, type Outcome } from './console.ts';

const SECRET = 'the-planted-secret';
const LINEAGE = '0d9f3a52-8f0e-4a0e-9d43-3b1f6f0f7a11';
const NOBODY = '127.0.0.1:1';

const folder = mkdtempSync(join(tmpdir(), 'slipway-cli-terraform-'));
const repository = new TestRepository(join(folder, 'repository'));
const commitWith = (backend: string) =>
  repository.commit({
    'terraform/main.tf': `terraform {\n  backend "${backend}" {}\n}\nresource "terraform_data" "queue" {}\n`,
  });
const commit = commitWith('local');
const overHttp = commitWith('http');

/** A platform with a state of `production` in a file, and one that an apply of `run` could not save. */
class Left {
  readonly platform: string;
  readonly backend: string;
  readonly file: string;
  readonly note: string;
  readonly #platformFile: string;

  /** @param settings of its backend: a file of its own, unless said otherwise */
  constructor(
    platform: string,
    run = `${platform}.deploy.production.1.4.0`,
    settings?: Readonly<Record<string, string>>,
  ) {
    const own = join(folder, platform);
    mkdirSync(own);
    this.platform = platform;
    this.backend = join(own, 'backend.tfstate');
    this.file = join(own, `${platform}.production.20261123T101500Z.5f1c9d.tfstate`);
    this.note = this.file.replace('.tfstate', '.json');
    this.#platformFile = join(own, 'slipway.yaml');
    writeFileSync(this.backend, aState(1));
    writeFileSync(this.file, aState(2, ['queue', 'made']));
    const applied = { platform, environment: 'production', commit, version: '1.4.0' };
    writeFileSync(this.note, JSON.stringify({ ...applied, workflowId: run, at: '2026-11-23T10:15:00.000Z' }));
    const terraform = { directory: 'terraform', backend: settings ?? { path: this.backend } };
    const file = {
      platform,
      source: { repository: repository.directory },
      services: { web: { taskDefinition: 'deploy/web.json' } },
      environments: {
        staging: anEnvironment(),
        production: anEnvironment({ cluster: 'notes-production', terraform }),
      },
    };
    writeFileSync(this.#platformFile, stringify(file));
  }

  /** `slipway terraform <words>`, for production unless said otherwise. */
  async terraform(words: readonly string[], address: string, more: ConsoleOptions = {}): Promise<Outcome> {
    const env = {
      PATH: process.env['PATH'] ?? '',
      SLIPWAY_PLATFORM_FILE: this.#platformFile,
      SLIPWAY_DATA_DIRECTORY: join(folder, 'data'),
      TEMPORAL_ADDRESS: address,
    };
    const where = words.includes('--environment') ? [] : ['--environment', 'production'];
    return await slipway(['terraform', ...words, ...where], { env, ...more });
  }

  async recover(options: readonly string[], address: string, more?: ConsoleOptions): Promise<Outcome> {
    const state = options.includes('--state') ? [] : ['--state', this.file];
    return await this.terraform(['recover', ...state, ...options], address, more);
  }

  get recovered(): boolean {
    return readFileSync(this.backend, 'utf8').includes('"made"');
  }
}

function aState(serial: number, names: readonly string[] = ['queue']): string {
  const resources = names.map((name) => ({
    mode: 'managed',
    type: 'terraform_data',
    name,
    provider: 'provider["terraform.io/builtin/terraform"]',
    instances: [{ schema_version: 0, attributes: { id: `${name}-${SECRET}` }, sensitive_attributes: [] }],
  }));
  const version = { version: 4, terraform_version: '1.5.0' };
  return JSON.stringify({ ...version, serial, lineage: LINEAGE, outputs: {}, resources });
}

let stage: Stage;
let address: string;
beforeAll(async () => {
  stage = await Stage.open('dev');
  address = (stage.client.connection as Connection).options.address;
}, 60_000);
afterAll(async () => {
  await stage.close();
  rmSync(folder, { recursive: true });
}, 60_000);

/** A run whose apply could not save its state: it asks. */
async function asking(scene: Scene, commitHash = COMMIT): Promise<WorkflowHandle> {
  scene.world.policy('production');
  scene.world.when('applyTerraform', (_input, call) => {
    if (call > 1) return undefined;
    throw ApplicationFailure.nonRetryable('the state could not be saved', 'ApplyInterrupted');
  });
  const input = { versionTag: '1.4.0', commitHash };
  const run = await scene.start('deployToProduction', input, 'deploy.production.1.4.0');
  await scene.until<RunStatus>(run, 'status', ({ waiting }) => waiting?.signal === 'decide');
  return run;
}

describe('while a run waits for a decision', () => {
  test('its state is pushed, what was kept is removed, and the run goes on when it is told to', async () => {
    await stage.play(async (scene) => {
      const run = await asking(scene);
      const left = new Left(scene.world.platform);
      const asked: string[] = [];
      const answers = (question: string) => {
        asked.push(question);
        return 'yes';
      };
      const { code, out, err } = await left.recover([], address, { answers });
      expect(err).toContain(
        '1 only in the file: the backend does not know of them\n    terraform_data.made\n',
      );
      expect(asked).toEqual(["Push it to the backend of production? Only 'yes' is taken: "]);
      expect(out).toContain(`Go on: slipway decide ${run.workflowId} --action retry`);
      expect(code).toBe(0);
      expect(left.recovered).toBe(true);
      expect([left.file, left.note].filter(existsSync)).toEqual([]);
      expect(out + err).not.toContain(SECRET);

      const [, next = ''] = /Go on: slipway (.*)/.exec(out) ?? [];
      await slipway(next.split(' '), { env: { TEMPORAL_ADDRESS: address } });
      await run.result();
    });
  });

  test('the state of another run is refused, whoever says yes', async () => {
    await stage.play(async (scene) => {
      const run = await asking(scene);
      const left = new Left(scene.world.platform, 'another-run');
      const { code, err } = await left.recover(['--yes'], address);
      expect(err).toContain(`${run.workflowId} (deploy 1.4.0) holds production and waits for a decision`);
      expect(err).toContain('but the state was left by another-run. Nothing was changed.');
      expect(code).toBe(9);
      expect(left.recovered).toBe(false);
      await run.signal('decide', { by: 'ada', action: 'retry' });
      await run.result();
    });
  });

  test('nothing is pushed while the holder works', async () => {
    await stage.play(async (scene) => {
      scene.world.policy('production');
      const { reached, go } = scene.world.holdUp('applyTerraform');
      const input = { versionTag: '1.4.0', commitHash: COMMIT };
      const run = await scene.start('deployToProduction', input, 'deploy.production.1.4.0');
      await reached;
      const left = new Left(scene.world.platform);
      const { code, err } = await left.recover(['--yes'], address);
      expect(err).toMatch(/holds production: terraform\. Wait until it has ended/);
      expect(code).toBe(9);
      expect(left.recovered).toBe(false);
      go();
      await run.result();
      const later = await left.recover(['--yes', '--json'], address);
      expect(JSON.parse(later.out)).toMatchObject({
        added: ['terraform_data.made'],
        already: false,
        next: 'slipway env production',
      });
      expect(left.recovered).toBe(true);
    });
  });
});

describe('a state lock', () => {
  const id = '9db590f1-b6fe-c5f2-2678-8804f089deba';
  let backend: StateBackend;
  beforeAll(async () => {
    backend = await startStateBackend();
  });
  afterAll(() => backend.close());
  beforeEach(async () => {
    const body = JSON.stringify({ ID: id, Operation: 'OperationTypeApply', Who: 'erin@elsewhere' });
    await fetch(backend.address, { method: 'LOCK', body });
  });
  afterEach(() => fetch(backend.address, { method: 'UNLOCK' }));

  const aPlatform = (platform: string) => new Left(platform, undefined, backend.settings());

  test('is released with the configuration of the release that waits for a decision', async () => {
    await stage.play(async (scene) => {
      const run = await asking(scene, overHttp);
      const left = aPlatform(scene.world.platform);
      const answers = () => 'yes';
      const { code, out, err } = await left.terraform(['unlock', '--id', id], address, { answers });
      expect(err).toContain(`It is held: ${id}`);
      expect(out).toContain(`The state of production is not locked any more: ${id} is released.`);
      expect(out).toContain(`Go on: slipway decide ${run.workflowId} --action retry`);
      expect(code).toBe(0);
      expect(backend.lock()).toBeUndefined();
      await run.signal('decide', { by: 'ada', action: 'retry' });
      await run.result();
    });
  });

  test('stays while nobody says yes, and where nothing tells the configuration', async () => {
    const left = aPlatform('locked');
    const unknown = await left.terraform(['unlock', '--id', id, '--yes'], address);
    expect(unknown.err).toContain('Nothing tells which configuration production has: give a --commit');
    expect(unknown.code).toBe(2);
    const words = ['unlock', '--id', id, '--commit', overHttp];
    const unanswered = await left.terraform(words, address);
    expect(unanswered.err).toContain('Nobody can answer here: add --yes');
    expect(unanswered.code).toBe(9);
    const no = await left.terraform(words, address, { answers: () => 'no' });
    expect(no.err).toContain('Not agreed to. Nothing was changed.');
    expect(backend.lock()?.ID).toBe(id);
    const yes = await left.terraform([...words, '--yes', '--json'], address);
    expect(JSON.parse(yes.out)).toMatchObject({ environment: 'production', released: { id } });
    const again = await left.terraform([...words, '--yes'], address);
    expect(again.out).toContain('The state of production is not locked.');
    expect(again.code).toBe(0);
  });
});

describe('while nobody holds the environment', () => {
  test('what is no such state is refused before anything is asked', async () => {
    const left = new Left('bad-input');
    const other = new Left('other-platform');
    const alone = join(folder, 'alone.tfstate');
    writeFileSync(alone, aState(2));
    const bad: [string[], number, RegExp][] = [
      [['--environment', 'prodution'], 2, /did you mean production\?/],
      [['--environment', 'staging'], 2, /staging has no terraform in .*slipway.yaml/],
      [['--state', other.file], 2, /is of other-platform production, not of bad-input production/],
      [['--state', alone], 2, /No note beside .*alone.tfstate says .*: give its --commit/],
      [['--commit', 'HEAD'], 2, /--commit: found HEAD; allowed: a full commit hash/],
      [['--platform', 'other'], 2, /--platform is other, but .* is of bad-input/],
      [['--state', join(folder, 'nowhere')], 9, /nowhere can't be read: ENOENT/],
      [['--state', repository.directory], 9, /can't be read: EISDIR/],
    ];
    for (const [options, code, said] of bad) {
      const outcome = await left.recover(['--yes', ...options], address);
      expect(outcome.err).toMatch(said);
      expect(outcome.code).toBe(code);
    }
  });

  test('a file that Slipway did not keep is pushed by its commit, and left for the person to remove', async () => {
    const left = new Left('by-hand');
    rmSync(left.note);
    const { code, out } = await left.recover(['--yes', '--commit', commit], address);
    expect(code).toBe(0);
    expect(out).toContain(`${left.file} holds secrets and is not needed any more: remove it.`);
    expect(existsSync(left.file)).toBe(true);
  });

  test('what was pushed already is cleared away', async () => {
    const left = new Left('again');
    writeFileSync(left.backend, readFileSync(left.file));
    const { code, out } = await left.recover(['--yes'], address);
    expect(code).toBe(0);
    expect(out).toContain('the backend of production had it already');
    expect([left.file, left.note].filter(existsSync)).toEqual([]);
  });

  test('a commit that is not in the repository is named, and the state is kept', async () => {
    const left = new Left('lost-commit');
    const { code, err } = await left.recover(['--yes', '--commit', 'c'.repeat(40)], address);
    expect(err).toContain(`Commit ${'c'.repeat(40)} is not in`);
    expect(code).toBe(9);
    expect(existsSync(left.file)).toBe(true);
  });
});

test('without a server --yes is needed, and is enough', async () => {
  const left = new Left('no-server');
  const answers = () => 'yes';
  const { code, err } = await left.recover([], NOBODY, { answers });
  expect(err).toMatch(/Whether a run changes production now can't be told.*127\.0\.0\.1:1.*add --yes/s);
  expect(code).toBe(9);
  expect(left.recovered).toBe(false);
  const sure = await left.recover(['--yes'], NOBODY);
  expect(sure.code).toBe(0);
  expect(sure.out).toContain('Go on: slipway env production');
  expect(left.recovered).toBe(true);
});
