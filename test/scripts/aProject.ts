import { chmod, cp, mkdir, mkdtemp, readdir, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';

const scripts = join(import.meta.dirname, '../../scripts');

/** A copy of the set-up in a project and on a machine of its own: only the commands put on it are there. */
export class Project {
  static async create(): Promise<Project> {
    const root = await realpath(await mkdtemp(join(tmpdir(), 'slipway-setup-')));
    await cp(scripts, join(root, 'scripts'), { recursive: true });
    await mkdir(join(root, 'machine'));
    await writeFile(join(root, 'package-lock.json'), '{}');
    return new Project(root);
  }

  readonly root: string;

  private constructor(root: string) {
    this.root = root;
  }

  /** Puts a command on the machine; `source` is its program, for Node. */
  async install(command: string, source: string): Promise<string> {
    const file = join(this.root, 'machine', command);
    await writeFile(file, `#!${process.execPath}\n${source}\n`);
    await chmod(file, 0o755);
    return file;
  }

  /** An npm that, in place of installing, notes its call, waits `delayMs` and links the Node that runs this test. */
  async installNpm({ delayMs = 0, exitCode = 0 } = {}): Promise<void> {
    await this.install(
      'npm',
      `const fs = require('fs');
      if (process.argv[2] === '--version') { console.log('10.9.0'); process.exit(); }
      fs.appendFileSync('npm-calls', process.argv[2] + '\\n');
      setTimeout(() => {
        if (${exitCode} === 0) {
          fs.mkdirSync('node_modules/.bin', { recursive: true });
          if (!fs.existsSync('node_modules/.bin/node')) fs.symlinkSync(process.execPath, 'node_modules/.bin/node');
        }
        process.exit(${exitCode});
      }, ${delayMs});`,
    );
  }

  start(args: readonly string[], options: { input?: string; env?: Record<string, string> } = {}) {
    return execa(process.execPath, [join(this.root, 'scripts', 'setup.mjs'), ...args], {
      cwd: this.root,
      env: { PATH: join(this.root, 'machine'), ...options.env },
      extendEnv: false,
      reject: false,
      timeout: 20_000,
      ...(options.input === undefined ? {} : { input: options.input }),
    });
  }

  entries(): Promise<string[]> {
    return readdir(this.root);
  }

  remove(): Promise<void> {
    return rm(this.root, { recursive: true, force: true });
  }
}
