import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { FaultRuleError } from './faults/rule.ts';
import { startSandbox } from './server.ts';
import type { SandboxOptions } from './server.ts';
import { StateDirectoryError } from './store.ts';

const HELP = `Rehearsal cloud: ECS, load balancers, ECR, CloudWatch, Parameter Store, Secrets Manager and STS on this machine.

Usage: node sandbox/main.ts [options]

  --port N       port of the endpoint on 127.0.0.1; 0 takes a free one          (default 4566)
  --state DIR    where state, images and tasks' logs are kept                   (default .slipway/sandbox)
  --account ID   the AWS account that it is, 12 digits                          (default 000000000000)
  --region NAME  the AWS region that it is                                      (default eu-west-1)
  --speed N      divides the waits that AWS documents (health checks, draining) (default 1)
  --faults FILE  a JSON array of faults that are in force from the start        (see sandbox/faults/README.md)
  --help         shows this

When it is ready it prints the variables that lead AWS's SDKs, the AWS CLI and Terraform to it; its last line is
'# Sandbox ready.' Ctrl-C or SIGTERM stops it and every task that it runs; the state stays.`;

/** A command line that can't be meant. */
class UsageError extends Error {}

function optionsFrom(args: readonly string[]): SandboxOptions | 'help' {
  const { values } = parse(args);
  if (values.help) return 'help';
  const port = Number(values.port);
  if (!/^\d+$/.test(values.port) || port > 65_535)
    throw usage('port', values.port, 'a number from 0 to 65535');
  const speed = Number(values.speed);
  if (!(Number.isFinite(speed) && speed > 0)) throw usage('speed', values.speed, 'a number above 0');
  if (!/^\d{12}$/.test(values.account)) throw usage('account', values.account, '12 digits');
  if (!/^[a-z]{2}(-[a-z]+)+-\d$/.test(values.region))
    throw usage('region', values.region, 'such as eu-west-1');
  return {
    port,
    stateDir: resolve(values.state),
    accountId: values.account,
    region: values.region,
    speed,
    ...(values.faults === undefined ? {} : { faults: faultsIn(values.faults) }),
  };
}

function faultsIn(file: string): readonly unknown[] {
  let rules: unknown;
  try {
    rules = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new UsageError(`--faults ${file}: ${(error as Error).message}`);
  }
  if (!Array.isArray(rules))
    throw new UsageError(`--faults ${file}: the file must hold a JSON array of rules`);
  return rules;
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        port: { type: 'string', default: '4566' },
        state: { type: 'string', default: '.slipway/sandbox' },
        account: { type: 'string', default: '000000000000' },
        region: { type: 'string', default: 'eu-west-1' },
        speed: { type: 'string', default: '1' },
        faults: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function usage(option: string, found: string, allowed: string): UsageError {
  return new UsageError(`--${option} is ${found || 'empty'}, but must be ${allowed}`);
}

async function main(args: readonly string[]): Promise<void> {
  const options = optionsFrom(args);
  if (options === 'help') return console.log(HELP);
  const sandbox = await startSandbox(options);
  let stopping = false;
  const stop = (): void => {
    // A second signal doesn't wait for tasks that take their time.
    if (stopping) process.exit(1);
    stopping = true;
    sandbox.close().then(
      () => process.exit(0),
      (error: unknown) => fail(error),
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  console.log(`# The sandbox's state is in ${options.stateDir}
export AWS_ENDPOINT_URL=${sandbox.url}
export AWS_ACCESS_KEY_ID=sandbox
export AWS_SECRET_ACCESS_KEY=sandbox
export AWS_REGION=${options.region ?? ''}
export AWS_DEFAULT_REGION=${options.region ?? ''}
export SANDBOX_REGISTRY=127.0.0.1:${sandbox.port}
# Sandbox ready.`);
}

function fail(error: unknown): never {
  const code = (error as NodeJS.ErrnoException).code;
  if (error instanceof FaultRuleError) {
    console.error(`--faults: ${error.message}`);
    process.exit(2);
  }
  if (error instanceof UsageError) {
    console.error(`${error.message}\nTry: node sandbox/main.ts --help`);
    process.exit(2);
  }
  if (code === 'EADDRINUSE' || code === 'EACCES') {
    console.error(
      `${(error as Error).message}: the port is taken or not allowed. Choose another with --port, or 0 for a free one.`,
    );
  } else {
    console.error(error instanceof StateDirectoryError ? error.message : error);
  }
  process.exit(1);
}

main(process.argv.slice(2)).catch(fail);
