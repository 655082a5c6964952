import type { Command, Option } from 'commander';
import { EXIT_CODES } from '../../src/cli/exit-codes.ts';
import { slipwayProgram } from '../../src/cli/program.ts';
import { table } from './markdown.ts';

/** @returns the commands' reference, from commander's own definitions */
export function cliPage(generated: string): string {
  const program = slipwayProgram(() => Promise.resolve());
  const codes = Object.entries(EXIT_CODES).map(([name, exit]) => [
    String(exit.code),
    `\`${name}\``,
    exit.meaning,
  ]);
  return `# The \`slipway\` command

${generated}

${program.description()}

In a checkout \`npm start -- <command>\` runs it; in a built one it is the program \`slipway\`. Settings come from
[environment variables](configuration.md); options win over them. Inputs are checked before anything is sent. Names given by \`--by\`
are claims unless the namespace authenticates its callers.

${table(
  ['Command', 'Does'],
  all(program).map((command) => [`[\`${nameOf(command)}\`](#${anchor(command)})`, command.summary()]),
)}

${all(program).map(section).join('\n\n')}

## Options of every command

${optionTable(common(program))}

\`SLIPWAY_USER\` is the name that \`--by\` has by default.

## Exit codes

${table(['Code', 'Name', 'When'], codes)}
`;
}

function section(command: Command): string {
  const parts = [
    `## \`${nameOf(command)}\``,
    command.description(),
    `\`\`\`sh\n${[nameOf(command), command.usage().replace('[options] [command] ', '[options] ')].join(' ')}\n\`\`\``,
  ];
  const { registeredArguments } = command;
  if (registeredArguments.length > 0) {
    const rows = registeredArguments.map((argument) => [
      `\`${argument.required ? `<${argument.name()}>` : `[${argument.name()}]`}\``,
      argument.description,
    ]);
    parts.push(table(['Argument', 'Meaning'], rows));
  }
  const own = command.options.filter((option) => !isCommon(option));
  if (own.length > 0) parts.push(optionTable(own));
  return [...parts, examples(command)].join('\n\n');
}

function optionTable(options: readonly Option[]): string {
  const rows = options.map((option) => [`\`${option.flags}\``, meaning(option)]);
  return table(['Option', 'Meaning'], rows);
}

function meaning({ description, mandatory, argChoices, defaultValue }: Option): string {
  const choices =
    argChoices === undefined ? '' : `: ${argChoices.map((choice) => `\`${choice}\``).join(', ')}`;
  const standard = typeof defaultValue === 'string' ? ` (default: \`${defaultValue}\`)` : '';
  return `${description}${choices}${standard}${mandatory ? '; **required**' : ''}`;
}

/** What the command's help shows after its options. */
function examples(command: Command): string {
  const lines: string[] = [];
  command.configureOutput({ writeOut: (text) => lines.push(text) }).outputHelp();
  const [, shown = ''] = lines.join('').split('\nExamples:\n');
  return `\`\`\`sh\n${shown.replaceAll(/^ {2}\$ /gm, '').trim()}\n\`\`\``;
}

/** Every command, each followed by those inside it. */
function all(command: Command): Command[] {
  return command.commands.flatMap((inner) => [inner, ...all(inner)]);
}

const COMMON = ['--address', '--namespace', '--task-queue', '--platform-file', '--platform', '--json'];

function common(program: Command): Option[] {
  return (program.commands[0]?.options ?? []).filter(isCommon);
}

function isCommon({ long }: Option): boolean {
  return COMMON.includes(long ?? '');
}

function nameOf(command: Command): string {
  return command.parent === null ? command.name() : `${nameOf(command.parent)} ${command.name()}`;
}

/** As GitHub makes it of the heading. */
function anchor(command: Command): string {
  return nameOf(command).replaceAll(' ', '-');
}
