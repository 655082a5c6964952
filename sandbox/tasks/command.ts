import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { delimiter, join, normalize } from 'node:path';
import type { ContainerDefinition } from '@aws-sdk/client-ecs';
import type { PulledImage } from './images.ts';
import { StartFailure } from './types.ts';

/** What to execute, and where. */
export interface Command {
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
}

/**
 * The container's command: the image's entry point and command, replaced by the container definition's.
 * There is no change of root: paths that exist in the image are mapped to where it was extracted, and a program
 * that the image lacks is looked up on this machine's PATH.
 * @throws StartFailure CannotStartContainerError when there is nothing to run, or it can't be found
 */
export function commandOf(container: ContainerDefinition, image: PulledImage, hostPath: string): Command {
  const entryPoint = container.entryPoint ?? image.process.Entrypoint ?? [];
  // As Docker does it: a new entry point also drops the image's command.
  const command = container.command ?? (container.entryPoint ? [] : (image.process.Cmd ?? []));
  const [program, ...rest] = [...entryPoint, ...command];
  if (program === undefined) throw cannotStart('No command specified');
  const cwd = join(
    image.rootfs,
    normalize(`/${container.workingDirectory ?? image.process.WorkingDir ?? ''}`),
  );
  if (!existsSync(cwd))
    throw cannotStart(`the working directory ${cwd.slice(image.rootfs.length)} isn't in the image`);
  return { argv: [programIn(program, image, cwd, hostPath), ...mapArguments(rest, image.rootfs)], cwd };
}

/** The same mapping for a command that is run beside the container's own, such as a health check. */
export function mapArguments(words: readonly string[], rootfs: string): string[] {
  return words.map((word) => mapped(word, rootfs) ?? word);
}

function mapped(word: string, rootfs: string): string | undefined {
  if (!word.startsWith('/')) return undefined;
  const inside = join(rootfs, normalize(word));
  return existsSync(inside) ? inside : undefined;
}

/** @throws StartFailure CannotStartContainerError */
export function programIn(program: string, image: PulledImage, cwd: string, hostPath: string): string {
  const candidates = program.includes('/')
    ? [program.startsWith('/') ? join(image.rootfs, normalize(program)) : join(cwd, program)]
    : pathOf(image).map((directory) => join(image.rootfs, normalize(directory), program));
  // Images name their interpreter by where their base image has it; this machine has its own.
  const name = program.slice(program.lastIndexOf('/') + 1);
  const onHost = hostPath.split(delimiter).map((directory) => join(directory, name));
  const found = [...candidates, ...onHost].find(isExecutable);
  if (found === undefined) throw cannotStart(`exec: "${program}": executable file not found in $PATH`);
  return found;
}

function pathOf(image: PulledImage): string[] {
  const entry = (image.process.Env ?? []).find((line) => line.startsWith('PATH='));
  return (
    entry?.slice('PATH='.length) ?? '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
  ).split(':');
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function cannotStart(why: string): StartFailure {
  return new StartFailure(
    `CannotStartContainerError: Error response from daemon: failed to create task for container: ${why}`,
  );
}
