import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Connection } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { stringify } from 'yaml';
import { workflowId } from '../../src/contract.ts';
import type { RunStatus } from '../../src/domain/status.ts';
import { anEnvironment } from '../platform/builders.ts';
import type { Scene } from '../workflows/scene.ts';
import { Stage } from '../workflows/stage.ts';
import { aCanary, aLook, COMMIT, OTHER_COMMIT, TWO_GROUPS } from '../workflows/world.ts';
import { slipway, type ConsoleOptions, type Outcome } from './console.ts';

const folder = mkdtempSync(join(tmpdir(), 'slipway-cli-'));
let stage: Stage;
let address: string;
beforeAll(async () => {
  stage = await Stage.open('dev');
  address = (stage.client.connection as Connection).options.address;
}, 60_000);
afterAll(async () => {
  await stage.close();
  rmSync(folder, { recursive: true });
});

type Slipway = (command: string, options?: ConsoleOptions) => Promise<Outcome>;

/** Plays a scene with a platform of two environments, production asking for approvals, and the command for its operators. */
async function play(scenes: (scene: Scene, slipway: Slipway) => Promise<void>): Promise<void> {
  await stage.play(async (scene) => {
    const { platform } = scene.world;
    scene.world.policy('staging');
    scene.world.policy('production', { approval: TWO_GROUPS });
    const file = join(folder, `${platform}.yaml`);
    writeFileSync(file, stringify(aPlatform(platform)));
    const env = {
      TEMPORAL_ADDRESS: address,
      SLIPWAY_TASK_QUEUE: 'stage',
      SLIPWAY_PLATFORM_FILE: file,
    };
    await scenes(scene, async (command, options) => {
      const outcome = await slipway(words(command), { ...options, env: { ...env, ...options?.env } });
      // The runs that a command starts belong to the scene: they are replayed, and ended with it.
      const [, id] = /Started (\S+)/.exec(outcome.out + outcome.err) ?? [];
      if (id !== undefined) scene.handles.push(scene.handle(id));
      return outcome;
    });
  });
}

function aPlatform(platform: string): object {
  const groups = { 'release-managers': ['alice', 'bob'], qa: ['carol', 'alice'] };
  return {
    platform,
    services: { web: { taskDefinition: 'deploy/web.json' } },
    groups,
    environments: {
      staging: anEnvironment(),
      production: anEnvironment({ cluster: 'notes-production', approval: { required: { qa: 1 } } }),
    },
  };
}

/** A command line's words; 'several in quotes' are one. */
function words(command: string): string[] {
  return [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
}

const waitsForApproval = (status: RunStatus) => status.waiting?.what.startsWith('approval') === true;

describe('release', () => {
  test('--wait follows the pipeline through its environments and ends with its outcome', async () => {
    await play(async (scene, run) => {
      const { platform } = scene.world;
      const { code, out } = await run(`release 1.4.0 ${COMMIT} --through staging --wait`);
      expect(out).toContain(`Started ${platform}.release.1.4.0`);
      expect(out).toMatch(/staging: ✔ checklist/);
      expect(out).toMatch(/staging: ✔ record[^\n]*\n\S+ {2}staging: done/);
      expect(out).toMatch(/\nCompleted: 1\.4\.0 is live and verified in staging\./);
      expect(code).toBe(0);
      const described = await scene.handle(`${platform}.release.1.4.0`).describe();
      expect(await described.staticSummary()).toBe(`${platform} 1.4.0, through staging`);
      expect(await described.staticDetails()).toContain('started by dana');
      expect(described.searchAttributes).toMatchObject({
        SlipwayPlatform: [platform],
        SlipwayVersion: ['1.4.0'],
      });
    });
  });

  test('of a release that has no images ends with its own exit code', async () => {
    await play(async (scene, run) => {
      scene.world.when('findManifest', () => ({
        kind: 'not built',
        missing: ['web'],
        detail: 'web has no image',
      }));
      const { code, out } = await run(`release 1.4.0 ${COMMIT} --wait`);
      expect(code).toBe(17);
      expect(out).toContain('ReleaseNotBuilt: web has no image Nothing was changed.');
    });
  });

  test('with an id in use says what runs, and joins it only for the same commit', async () => {
    await play(async (scene, run) => {
      const id = `${scene.world.platform}.release.1.4.0`;
      delete scene.world.policies['staging'];
      await run(`release 1.4.0 ${COMMIT}`);
      await scene.until(scene.child('production', '1.4.0'), 'status', waitsForApproval);

      const again = await run(`release 1.4.0 ${COMMIT}`);
      expect(again.code).toBe(5);
      expect(again.err).toContain(`${id} runs already, since 20`);
      expect(again.err).toContain(COMMIT);
      expect(again.err).toContain('--join waits for it');

      const other = await run(`release 1.4.0 ${OTHER_COMMIT} --join`);
      expect(other.code).toBe(5);
      expect(other.err).toContain(`commitHash: ${COMMIT} runs, ${OTHER_COMMIT} was asked`);

      const joined = run(`release 1.4.0 ${COMMIT} --join --by erin`);
      await run(`reject ${id} --by alice --reason 'not today'`);
      expect(await joined).toMatchObject({ code: 12 });
      expect((await joined).out).toContain('going along');
    });
  });
});

describe('deploy', () => {
  test.each([
    [`deploy staging v1.4.0 abc`, 'versionTag'],
    [`deploy staging 1.4.0 abc`, 'commitHash'],
    [`deploy stagging 1.4.0 ${COMMIT}`, 'did you mean staging?'],
    [`release 1.4.0 ${COMMIT} --through prod`, 'staging, production'],
    [`rollback staging 1.4.0 1.4.0`, 'targetVersion'],
    [`deploy staging 1.4.0 ${COMMIT} --by ''`, 'startedBy'],
  ])('%s is refused before anything is sent', async (command, told) => {
    await play(async (scene, run) => {
      const { code, err } = await run(command);
      expect(code).toBe(2);
      expect(err).toContain(told);
      expect(scene.world.calls).toEqual([]);
    });
  });
});

describe('rollback', () => {
  test('goes back to a release of the ledger; one that it does not know is told', async () => {
    await play(async (_scene, run) => {
      await run(`deploy staging 1.3.0 ${OTHER_COMMIT} --wait`);
      await run(`deploy staging 1.4.0 ${COMMIT} --wait`);
      const back = await run("rollback staging 1.4.0 1.3.0 --reason 'empty answers' --wait");
      expect(back.out).toContain('Completed: 1.3.0 in staging is live and verified.');
      expect(back.code).toBe(0);
      const unknown = await run('rollback staging 1.3.0 1.1.0 --wait');
      expect(unknown.code).toBe(16);
      expect(unknown.out).toContain('1.1.0');
      const status: unknown = JSON.parse((await run('env staging --json')).out);
      expect(status).toMatchObject({ current: { manifest: { version: '1.3.0' }, startedBy: 'dana' } });
      const ledger = await run('env staging');
      expect(ledger.out).toMatch(/serves {3}1\.3\.0/);
      expect(ledger.out).toMatch(/1\.3\.0 +Completed .* rolled back from 1\.4\.0: empty answers/);
    });
  });
});

describe('plan', () => {
  test('prints checks, evidence and change set, and changes nothing', async () => {
    await play(async (scene, run) => {
      const { code, out } = await run(`plan production 1.4.0 ${COMMIT}`);
      expect(code).toBe(0);
      expect(out).toMatch(/✔ {2}scan web +fine/);
      expect(out).toContain('update terraform_data.a: input');
      expect(out).toContain('  ~ terraform_data.a');
      expect(out).toMatch(/Evidence {2}[0-9a-f]{12} {2}\(sha256:[0-9a-f]{64}\)/);
      expect(scene.world.writes).toEqual([]);
      const { digest } = JSON.parse((await run(`plan production 1.4.0 ${COMMIT} --json`)).out) as {
        digest: string;
      };
      expect(out).toContain(digest);
    });
  });

  test('--format markdown prints it for a pull request, also when it could not be deployed', async () => {
    await play(async (scene, run) => {
      const { code, out } = await run(`plan production 1.4.0 ${COMMIT} --format markdown`);
      expect(code).toBe(0);
      expect(out).toMatch(/^## 1\.4\.0 → production\n/);
      expect(out).toContain('\n`~ terraform_data.a`\n');
      scene.world.when('checkIdentity', () => ({ name: 'AWS account', passed: false, detail: 'is 999' }));
      const failed = await run(`plan production 1.4.0 ${COMMIT} --format markdown`);
      expect(failed.code).toBe(16);
      expect(failed.out).toMatch(/^# ✘ \S+ 1\.4\.0 → production: PreflightFailed\n/);
      expect(failed.out).toContain('| AWS account | NO | is 999 |');
    });
  });

  test('tells every check that fails, and exits with the outcome', async () => {
    await play(async (scene, run) => {
      scene.world.when('checkIdentity', () => ({ name: 'AWS account', passed: false, detail: 'is 999' }));
      const { code, out } = await run(`plan staging 1.4.0 ${COMMIT}`);
      expect(code).toBe(16);
      expect(out).toMatch(/✘ {2}AWS account +is 999/);
    });
  });
});

describe('drift', () => {
  test('is told by resource, and by the exit code', async () => {
    await play(async (scene, run) => {
      await run(`deploy staging 1.4.0 ${COMMIT} --wait`);
      const none = await run('drift staging');
      expect(none.out).toBe(
        `staging (1.4.0, commit ${COMMIT.slice(0, 12)}): nothing was changed outside of Terraform.\n`,
      );
      expect(none.code).toBe(0);
      const drift = {
        resources: [
          { address: 'aws_sns_topic.a', kind: 'changed', attributes: ['tags.owner'] },
          { address: 'aws_sqs_queue.b', kind: 'deleted', attributes: [] },
        ],
        omitted: 0,
      };
      scene.world.when('detectDrift', () => drift);
      const found = await run('drift staging');
      expect(found.out.split('\n').slice(0, 3)).toEqual([
        `staging (1.4.0, commit ${COMMIT.slice(0, 12)}): changed outside of Terraform`,
        '  aws_sns_topic.a  changed: tags.owner',
        '  aws_sqs_queue.b  deleted',
      ]);
      expect(found.code).toBe(20);
      const json = await run('drift staging --json');
      expect(json.code).toBe(20);
      expect(JSON.parse(json.out)).toMatchObject({ environment: 'staging', drift });
    });
  });

  test('of an environment that nothing was deployed to, or that does not exist, is an error of its own', async () => {
    await play(async (_scene, run) => {
      const { code, out } = await run('drift staging');
      expect(code).toBe(16);
      expect(out).toContain('The ledger of staging has no release to compare with.');
      const unknown = await run('drift stagging');
      expect(unknown.code).toBe(2);
      expect(unknown.err).toContain('did you mean staging?');
    });
  });
});

describe('approve', () => {
  test('without evidence shows what it is about and the command that approves it', async () => {
    await play(async (scene, run) => {
      await run(`deploy production 1.4.0 ${COMMIT}`);
      const child = scene.child('production', '1.4.0');
      await scene.until(child, 'status', waitsForApproval);
      const { code, out, err } = await run('approve production 1.4.0 --by alice');
      expect(code).toBe(2);
      expect(out).toContain('Evidence of 1.4.0 for production');
      expect(out).toContain('update terraform_data.a: input');
      expect(out).toContain('Terraform plan\n  ~ terraform_data.a\n      input: "1.3.0" -> "1.4.0"\n');
      expect((await run(`status ${child.workflowId}`)).out).toContain('      input: "1.3.0" -> "1.4.0"\n');
      expect(err).toMatch(/slipway approve \S+ --by alice --evidence [0-9a-f]{12}/);
      expect((await child.query<RunStatus>('status')).approvals?.judged).toEqual([]);
    });
  });

  test('is answered with what is still missing, and the last one lets the run go on', async () => {
    await play(async (scene, run) => {
      const { platform } = scene.world;
      delete scene.world.policies['staging'];
      const watched = run(`release 1.4.0 ${COMMIT} --wait`);
      const child = scene.child('production', '1.4.0');
      const { evidence = '' } = await scene.until<RunStatus>(child, 'status', waitsForApproval);
      const digest = evidence.replace('sha256:', '').slice(0, 12);

      const wrong = await run(`approve ${platform}.release.1.4.0 --by alice --evidence 00000000`);
      expect(wrong.code).toBe(6);
      expect(wrong.err).toContain('it is for evidence 00000000');
      const stranger = await run(`approve production 1.4.0 --by mallory --evidence ${digest}`);
      expect(stranger.code).toBe(6);
      expect(stranger.err).toContain('mallory is not in release-managers or qa');
      const first = await run(`approve ${platform}.release.1.4.0 --by bob --evidence ${digest}`);
      expect(first.out).toContain(
        "bob's approval counts for release-managers. Still missing: 1 of qa (carol, alice).",
      );
      const second = await run(
        `approve production --by carol --evidence ${digest} --comment 'tested' --json`,
      );
      expect(JSON.parse(second.out)).toMatchObject({ counted: true, approvals: { satisfied: true } });

      const { code, out } = await watched;
      expect(code).toBe(0);
      expect(out).toMatch(/production: ✔ bob approves for release-managers/);
    });
  });

  test('without a run names the one that waits, and lists them when there are more', async () => {
    await play(async (scene, run) => {
      const none = await run('approve --by alice --evidence 12345678');
      expect(none).toMatchObject({ code: 4 });
      expect(none.err).toContain('No open run waits for an approval');
      scene.world.policy('staging', { approval: TWO_GROUPS });
      await run(`deploy staging 1.4.0 ${COMMIT}`);
      await scene.until(scene.child('staging', '1.4.0'), 'status', waitsForApproval);
      await visible(run, /deploy\.staging\.1\.4\.0 .*waiting: approval/);
      expect((await run('approve --by alice')).out).toContain('Evidence of 1.4.0 for staging');
      await run(`deploy production 1.4.0 ${COMMIT}`);
      await scene.until(scene.child('production', '1.4.0'), 'status', waitsForApproval);
      await visible(run, /deploy\.production\.1\.4\.0 .*waiting: approval/);
      const several = await run('approve --by alice');
      expect(several).toMatchObject({ code: 4 });
      expect(several.err).toMatch(/give the id of one\.\n(.*deploy\.(staging|production)\.1\.4\.0.*\n){2}/);
    });
  });
});

/** Visibility is a moment late: waits until `status` lists what it should; the deadline is the test's own. */
async function visible(run: Slipway, wanted: RegExp): Promise<Outcome> {
  for (;;) {
    const outcome = await run('status');
    if (wanted.test(outcome.out)) return outcome;
  }
}

describe('other words to a run', () => {
  test('abort stops a pipeline by its id, with the environment that it deploys', async () => {
    await play(async (scene, run) => {
      const id = `${scene.world.platform}.release.1.4.0`;
      delete scene.world.policies['staging'];
      const watched = run(`release 1.4.0 ${COMMIT} --wait`);
      await scene.until(scene.child('production', '1.4.0'), 'status', waitsForApproval);
      expect(await run(`abort ${id} --reason 'wrong commit'`)).toMatchObject({ code: 0 });
      const { code, out } = await watched;
      expect(code).toBe(14);
      expect(out).toContain('aborted by dana: wrong commit');
      const late = await run(`abort ${id} --reason again`);
      expect(late.code).toBe(4);
    });
  });

  test('a signal that the policy does not allow is told as not counted', async () => {
    await play(async (scene, run) => {
      const groups = { operators: ['olga'] };
      scene.world.policy('production', {
        approval: TWO_GROUPS,
        signals: { groups, allowed: { abort: ['operators'], reject: ['operators'] } },
      });
      await run(`deploy production 1.4.0 ${COMMIT}`);
      await scene.until(scene.child('production', '1.4.0'), 'status', waitsForApproval);
      for (const word of ['abort', 'reject']) {
        const { code, err } = await run(`${word} production 1.4.0 --reason no`);
        expect(code).toBe(6);
        expect(err).toContain(`dana is not in operators, who may ${word}: olga`);
      }
    });
  });

  test('test-result answers a manual test', async () => {
    await play(async (scene, run) => {
      scene.world.policy('staging', {
        verification: {
          metrics: { windowSeconds: 60 },
          tests: [],
          soakSeconds: 0,
          manualTest: { instructions: 'write a page', expiresAfterSeconds: 3600 },
        },
      });
      const watched = run(`deploy staging 1.4.0 ${COMMIT} --wait`);
      const child = scene.child('staging', '1.4.0');
      await scene.until<RunStatus>(
        child,
        'status',
        ({ waiting }) => waiting?.what.includes('manual test') === true,
      );
      expect((await run('test-result staging 1.4.0')).code).toBe(2);
      expect((await run('test-result staging 1.4.0 --passed --failed')).code).toBe(2);
      expect(await run("test-result staging 1.4.0 --failed --notes 'it hangs'")).toMatchObject({ code: 0 });
      const { code, out } = await watched;
      expect(code).toBe(10);
      expect(out).toContain('the manual test failed, says dana: it hangs');
    });
  });

  test('decide answers a run that cannot take a change back', async () => {
    await play(async (scene, run) => {
      scene.world.when('checkServiceStatus', () => [{ name: 'status web', passed: false, detail: 'dies' }]);
      scene.world.when('restoreService', () => {
        throw ApplicationFailure.nonRetryable('the cluster is gone', 'NoCluster');
      });
      const watched = run(`deploy staging 1.4.0 ${COMMIT} --wait`);
      const child = scene.child('staging', '1.4.0');
      await scene.until<RunStatus>(child, 'status', ({ waiting }) => waiting !== undefined);
      expect(await run('decide staging 1.4.0 --action wait')).toMatchObject({ code: 2 });
      const { out } = await run(`status ${child.workflowId}`);
      expect(out).toContain('the cluster is gone');
      expect(out).toContain(`slipway decide ${child.workflowId} --action retry`);
      const none = await run('test-result --passed');
      expect(none).toMatchObject({ code: 4 });
      expect(none.err).toContain('waits for a manual test');
      expect(await run('decide staging 1.4.0 --action continue')).toMatchObject({ code: 0 });
      expect(await watched).toMatchObject({ code: 11 });
      expect((await run('env staging')).out).toContain('slipway env override staging');
      expect(await run("env override staging --reason 'looked'")).toMatchObject({ code: 0 });
    });
  });
});

describe('status, watch and report', () => {
  test('status without an id lists environments and open runs; with one tells what to type next', async () => {
    await play(async (scene, run) => {
      await run(`release 1.4.0 ${COMMIT}`);
      const { platform } = scene.world;
      await scene.until(scene.child('production', '1.4.0'), 'status', waitsForApproval);
      const { out } = await visible(run, /release\.1\.4\.0 .*deploys production/);
      expect(out).toMatch(/staging +1\.4\.0 .* free +ok/);
      expect(out).toMatch(/production +- +- +free +ok/);
      expect(out).toMatch(/deploy\.production\.1\.4\.0 .*waiting: approval of 1\.4\.0 for production/);
      const one = await run(`status ${platform}.release.1.4.0`);
      expect(one.out).toMatch(/✔ staging +done/);
      expect(one.out).toContain(
        'Approvals: missing 1 of release-managers (alice, bob); 1 of qa (carol, alice)',
      );
      expect(one.out).toMatch(/slipway approve \S+production\.1\.4\.0 --evidence [0-9a-f]{12}/);
      expect(one.out).toContain('temporal workflow signal');
      const json = JSON.parse((await run('status --json')).out) as { runs: object[] };
      expect(json.runs).toHaveLength(2);
    });
  });

  test('deploy --wait --json prints the report alone; report prints it in three formats; a run that goes on has none', async () => {
    await play(async (scene, run) => {
      const id = `${scene.world.platform}.deploy.staging.1.4.0`;
      const { code, out, err } = await run(`deploy staging 1.4.0 ${COMMIT} --wait --json`);
      expect(JSON.parse(out)).toMatchObject({
        outcome: 'Completed',
        report: { environment: 'staging', startedBy: 'dana', release: { version: '1.4.0', commit: COMMIT } },
      });
      expect(err).toMatch(/staging: ✔ record/);
      expect(code).toBe(0);
      const markdown = await run(`report ${id}`);
      expect(markdown.out).toMatch(/^# ✔ .* 1\.4\.0 → staging: Completed\n/);
      expect(markdown.out).toContain('| record | done |');
      expect((await run(`report ${id} --format html`)).out).toMatch(/^<!doctype html>/);
      expect(JSON.parse((await run(`report ${id} --json`)).out)).toMatchObject({ outcome: 'Completed' });
      expect((await run(`status ${id}`)).out).toContain(markdown.out.trimEnd());
      expect(await run(`watch ${id}`)).toMatchObject({ code: 0 });

      await run(`deploy production 1.4.0 ${COMMIT}`);
      expect(await run(`report ${scene.world.platform}.deploy.production.1.4.0`)).toMatchObject({ code: 8 });
      expect(await run('report nothing.of.the.kind')).toMatchObject({ code: 4 });
    });
  });

  test('Ctrl-C stops the watching, not the run', async () => {
    await play(async (scene, run) => {
      const id = `${scene.world.platform}.deploy.production.1.4.0`;
      await run(`deploy production 1.4.0 ${COMMIT}`);
      const ctrlC = new AbortController();
      const watched = run(`watch ${id}`, { interactive: true, interruption: ctrlC.signal });
      await scene.until(scene.handle(id), 'status', waitsForApproval);
      ctrlC.abort();
      const { code, err } = await watched;
      expect(code).toBe(130);
      expect(err).toContain(`${id} goes on`);
      expect((await scene.handle(id).describe()).status.name).toBe('RUNNING');
    });
  });

  test('a run that was terminated is lost, and says where to look', async () => {
    await play(async (scene, run) => {
      const id = `${scene.world.platform}.deploy.production.1.4.0`;
      const watched = run(`deploy production 1.4.0 ${COMMIT} --wait`);
      await scene.until(scene.handle(id), 'status', waitsForApproval);
      await scene.handle(id).terminate('an accident');
      const { code, out } = await watched;
      expect(code).toBe(19);
      expect(out).toContain('The run was terminated');
    });
  });
});

describe('env', () => {
  test('a freeze refuses deployments until it ends', async () => {
    await play(async (_scene, run) => {
      const frozen = await run("env freeze staging --by olga --reason 'sale weekend'");
      expect(frozen.out).toMatch(/FROZEN {3}by olga .*: sale weekend/);
      const refused = await run(`deploy staging 1.4.0 ${COMMIT} --wait`);
      expect(refused.code).toBe(16);
      expect(refused.out).toContain('sale weekend');
      expect((await run('env')).out).toMatch(/staging .*frozen by olga/);
      expect(await run('env unfreeze staging --reason over')).toMatchObject({ code: 0 });
      expect(JSON.parse((await run('env staging --json')).out)).not.toHaveProperty('frozen');
      expect(await run(`plan staging 1.4.0 ${COMMIT}`)).toMatchObject({ code: 0 });
    });
  });

  test('an order to an environment that there is not is refused', async () => {
    await play(async (_scene, run) => {
      expect(await run('env freeze moon --reason x')).toMatchObject({ code: 2 });
      expect(await run('env override production --reason x')).toMatchObject({ code: 4 });
      expect(await run('env freeze production')).toMatchObject({ code: 2 });
    });
  });

  test("without the platform file, by the platform's name, lists those that have a ledger", async () => {
    await play(async (scene, run) => {
      await run('env freeze staging --reason sale');
      const elsewhere = { env: { SLIPWAY_PLATFORM_FILE: '/nonexistent/slipway.yaml' } };
      const missing = await run('env', elsewhere);
      expect(missing).toMatchObject({ code: 2 });
      expect(missing.err).toContain('no such file');
      for (;;) {
        const { out } = await run(`env --platform ${scene.world.platform}`, elsewhere);
        if (/^staging .*frozen by dana/m.test(out)) break;
      }
    });
  });
});

describe('a canary', () => {
  /** Production serves something, so that 1.4.0 goes by canary there. */
  function byCanary(scene: Scene, changes: Parameters<typeof aCanary>[1] = {}): void {
    scene.world.policy('production', { rollout: aCanary(['web'], { bakeSeconds: 1, ...changes }) });
    scene.world.taskDefinitionOf['production/web'] = 'arn:task-definition/web:1.3.0';
  }

  test('is held where it is, shown with its looks and when ECS goes back, resumed, and followed to its end', async () => {
    await play(async (scene, run) => {
      byCanary(scene);
      const watching = scene.world.holdUp('watchCanary');
      const watched = run(`deploy production 1.4.0 ${COMMIT} --wait`);
      await watching.reached;
      const held = await run("hold production 1.4.0 --reason 'a look at the logs'");
      expect(held).toMatchObject({ code: 0 });
      expect(held.out).toMatch(
        /is held\. web at 20 %: unless the run goes on, ECS puts the old version back by itself at 20\S+Z\.\nGo on: slipway resume /,
      );
      watching.go();
      const id = workflowId.deploy(scene.world.platform, 'production', '1.4.0');
      await scene.until<RunStatus>(scene.handle(id), 'status', ({ waiting }) => waiting?.signal === 'resume');
      const { out } = await run(`status ${id}`);
      expect(out).toMatch(/web +20 % +1 +1000 requests, 0 bad +4000 requests, 0 bad +✔ pass/);
      expect(out).toMatch(/The canary is held by dana since \S+: a look at the logs\.\n/);
      expect(out).toContain(`Type next:\n    slipway resume ${id}\n    slipway promote ${id} --reason WHY\n`);
      expect((await run('resume production --by bob')).out).toContain(`${id} goes on.`);
      const { code, out: lines } = await watched;
      expect(code).toBe(0);
      expect(lines).toMatch(
        /production: {3}web at 20 %, look 1: release 1000 requests, 0 bad; old version 4000/,
      );
      expect(lines).toMatch(/production: ✔ pass: web at 20 %/);
      expect(lines).toMatch(/production: ✔ pass: web at 100 %/);
      expect(lines.match(/pass: web at 20 %/g)).toHaveLength(1);
    });
  });

  test('that is inconclusive asks with the answers it takes, and does what it is told', async () => {
    await play(async (scene, run) => {
      byCanary(scene, { onInconclusive: 'ask' });
      scene.world.when('watchCanary', () => ({ looks: [aLook('web', { requests: 3 })], ended: [] }));
      const watched = run(`deploy production 1.4.0 ${COMMIT} --wait`);
      const id = workflowId.deploy(scene.world.platform, 'production', '1.4.0');
      await scene.until<RunStatus>(scene.handle(id), 'status', ({ waiting }) => waiting?.signal === 'decide');
      expect((await run(`status ${id}`)).out).toContain(
        ['continue', 'retry', 'rollback']
          .map((action) => `    slipway decide ${id} --action ${action}\n`)
          .join(''),
      );
      expect(await run(`decide ${id} --action rollback --reason 'no traffic'`)).toMatchObject({ code: 0 });
      expect(await watched).toMatchObject({ code: 10 });
      expect((await run(`report ${id}`)).out).toMatch(
        /\| web \| 20 % \| 1 \| 3 requests, 0 bad \|.*inconclusive/,
      );
    });
  });

  test('is promoted with a reason; a resume of what is not held, and a hold of what rolls, are told as not counted', async () => {
    await play(async (scene, run) => {
      byCanary(scene, { bakeSeconds: 3600 });
      const watching = scene.world.holdUp('watchCanary');
      const watched = run(`deploy production 1.4.0 ${COMMIT} --wait`);
      await watching.reached;
      expect((await run('promote production 1.4.0')).code).toBe(2);
      const resumed = await run('resume production 1.4.0');
      expect(resumed).toMatchObject({ code: 6 });
      expect(resumed.err).toContain('The resume did not count: nothing is held');
      const promoted = await run("promote production 1.4.0 --reason 'an incident waits' --json");
      expect(JSON.parse(promoted.out)).toEqual({
        workflowId: workflowId.deploy(scene.world.platform, 'production', '1.4.0'),
      });
      watching.go();
      const { code, out } = await watched;
      expect(code).toBe(0);
      expect(out).toMatch(/» skipped: web at 20 %/);

      const rolls = scene.world.holdUp('startRollout');
      await run(`deploy staging 1.4.0 ${COMMIT}`);
      await rolls.reached;
      const held = await run('hold staging 1.4.0');
      expect(held).toMatchObject({ code: 6 });
      expect(held.err).toContain('this deployment rolls without a canary');
      rolls.go();
    });
  });
});

test("--version prints the package's", async () => {
  const { version } = JSON.parse(
    readFileSync(join(import.meta.dirname, '..', '..', 'package.json'), 'utf8'),
  ) as { version: string };
  expect(await slipway(['--version'])).toEqual({ code: 0, out: `${version}\n`, err: '' });
});
