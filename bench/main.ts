/** Measurements: `npm run bench -- NAME`. What they found is in docs/benchmarks.md. */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import type { BenchOptions } from './options.ts';

const HELP = `Usage: npm run bench -- NAME [--quick] [--json FILE]

  verdict      who tells the truth of a rollout, when, and at how many API calls: Slipway, the AWS CLI, the JavaScript SDK,
               ecs-deploy, and ecspresso where it is installed                                        (5 minutes)
  harm         how many of the users' requests a bad release harms, by canary and by a plain rolling update (3 minutes)
  terraform    what Slipway's plan and apply cost beside terraform alone, and what is left of an apply of ten resources that
               is killed at 20 points: Slipway's worker, terraform, the host, and a bare terraform     (12 minutes)

  --quick      of verdict and terraform: a try of the bench itself, with fewer of everything; its figures mean nothing
  --json FILE  writes all figures to FILE as well
  --help       shows this

The result is Markdown on standard output. Measure on a machine that does nothing else.`;

/** A command line that can't be meant. */
class UsageError extends Error {}

/** Each measures, and gives its figures and the Markdown that tells them. Only the one that is asked for is loaded. */
const benches: Readonly<
  Record<string, (options: BenchOptions) => Promise<{ result: object; markdown: string }>>
> = {
  async verdict(options) {
    const [{ verdict }, { tell }] = await Promise.all([
      import('./verdict/verdict.ts'),
      import('./verdict/tell.ts'),
    ]);
    const result = await verdict(options);
    return { result, markdown: tell(result) };
  },
  async harm(options) {
    if (options.quick) throw new UsageError('harm has no --quick: it always takes its minutes');
    const [{ harm }, { tell }] = await Promise.all([import('./harm/harm.ts'), import('./harm/tell.ts')]);
    const result = await harm(options);
    return { result, markdown: tell(result) };
  },
  async terraform(options) {
    const [{ terraform }, { tell }] = await Promise.all([
      import('./terraform/terraform.ts'),
      import('./terraform/tell.ts'),
    ]);
    const result = await terraform(options);
    return { result, markdown: tell(result) };
  },
};

const started = Date.now();

/** A line of progress, with the seconds since the start, where it does not get into the result. */
function say(text: string): void {
  console.error(`${((Date.now() - started) / 1000).toFixed(1).padStart(6)}s  ${text}`);
}

/** Ctrl-C: what runs is stopped and cleared away first. A second one doesn't wait. */
const stop = new AbortController();

/** Stays a listener: of a process that has none of its own left, execa's would end it while its children go on. */
function stopOnce(): void {
  if (stop.signal.aborted) process.exit(130);
  stop.abort();
}

async function main(args: readonly string[]): Promise<void> {
  const { values, positionals } = parse(args);
  if (values.help) return console.log(HELP);
  const [name = '', ...more] = positionals;
  const bench = Object.hasOwn(benches, name) ? benches[name] : undefined;
  if (bench === undefined || more.length > 0) {
    const found = positionals.length === 0 ? 'nothing' : positionals.join(' ');
    throw new UsageError(`asked for ${found}, but there is: ${Object.keys(benches).join(', ')}`);
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stopOnce);
  const { result, markdown } = await bench({ quick: values.quick, signal: stop.signal, say });
  console.log(markdown);
  if (values.json !== undefined) {
    await writeFile(values.json, `${JSON.stringify(result, null, 2)}\n`);
    say(`All figures are in ${values.json}.`);
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        quick: { type: 'boolean', default: false },
        json: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

main(process.argv.slice(2)).catch((error: unknown) => {
  if (stop.signal.aborted) {
    console.error('Stopped.');
    process.exitCode = 130;
    return;
  }
  if (error instanceof UsageError) console.error(`${error.message}\nTry: npm run bench -- --help`);
  else console.error(error);
  process.exitCode = error instanceof UsageError ? 2 : 1;
});
