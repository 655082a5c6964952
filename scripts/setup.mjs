#!/usr/bin/env node
/**
 * Makes a fresh clone ready for one purpose, then runs a command in it:
 *
 *   node scripts/setup.mjs --for demo|test|bench|check|worker|sandbox|none -- command [arguments...]
 *
 * Runs before any npm package is there: Node 20 or newer, no dependencies.
 */
import { parseArguments, SetupError } from './setup/arguments.mjs';
import { prepare } from './setup/prepare.mjs';
import { run } from './setup/run.mjs';

try {
  const { purpose, command } = parseArguments(process.argv.slice(2));
  const environment = await prepare(purpose);
  await run(command, environment);
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
