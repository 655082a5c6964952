import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { CommanderError, type Command } from 'commander';
import { slipwayProgram } from '../../src/cli/program.ts';

const ROOT = join(import.meta.dirname, '../..');
const PAGES = [
  'README.md',
  ...readdirSync(join(ROOT, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
  'docs/reference/cli.md',
];
const BLOCK = /^[ \t]*```\w*\n([\s\S]*?)^[ \t]*```/gm;
/** A command's form, as commander writes it. */
const SYNOPSIS = / \[|^slipway <command>$/;
const IN_A_CHECKOUT = /^npm start -- /;
const ONE_WORD = /"[^"]*"|'[^']*'|\$\([^)]*\)|<[^>]*>/g;

/** Every `slipway ...` of a page that is written as code: a span, or a line of a block. */
function commandsOf(page: string): string[] {
  const text = readFileSync(join(ROOT, page), 'utf8');
  const blocks = [...text.matchAll(BLOCK)].map(([, block = '']) => block);
  const lines = blocks.flatMap((block) => block.replaceAll('\\\n', ' ').split('\n'));
  const spans = [...text.replaceAll(BLOCK, '').matchAll(/`([^`]+)`/g)].map(([, span = '']) => span);
  return [...lines, ...spans]
    .map((line) => line.trim().replaceAll(/\s+/g, ' ').replace(IN_A_CHECKOUT, 'slipway '))
    .filter((line) => /^slipway \S/.test(line) && !SYNOPSIS.test(line));
}

/** As a shell has them: what stands for a value, and a text in quotes, is one word. */
function words(line: string): string[] {
  const [command = ''] = line.replaceAll(ONE_WORD, 'VALUE').split(/ [#|>&]/);
  return command.split(' ').slice(1);
}

/** What commander says of a command line; nothing when it takes it. Nothing is run. */
async function refusal(line: string): Promise<string | undefined> {
  const said: string[] = [];
  let taken = false;
  const program = slipwayProgram(() => Promise.resolve(void (taken = true)));
  for (const command of withInner(program)) {
    command.exitOverride().configureOutput({ writeOut: () => {}, writeErr: (text) => said.push(text) });
  }
  if (isName(program, words(line))) return undefined;
  await program.parseAsync(words(line), { from: 'user' }).catch((error: unknown) => {
    taken = error instanceof CommanderError && error.code === 'commander.helpDisplayed';
    said.push(String(error));
  });
  return taken ? undefined : said.join('');
}

/** The words name a command and say no more, as prose does. */
function isName(command: Command, [first, ...rest]: readonly string[]): boolean {
  if (first === undefined) return true;
  const inner = command.commands.find((each) => each.name() === first);
  return inner !== undefined && isName(inner, rest);
}

function withInner(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withInner)];
}

const COMMANDS = [...new Set(PAGES.flatMap(commandsOf))];

test('a command line that slipway does not take is found out', async () => {
  expect(COMMANDS.length).toBeGreaterThan(20);
  expect(await refusal('slipway decide <run> retry')).toContain("'--action <action>' not specified");
  expect(await refusal('slipway teraform unlock')).toContain('unknown command');
});

test.each(COMMANDS)('%s is as slipway takes it', async (line) => {
  expect(await refusal(line)).toBeUndefined();
});
