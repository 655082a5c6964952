/** What each purpose needs of the machine, and which tools are installed for it into the project. */
export const purposes = {
  demo: { needs: ['node', 'npm', 'git', 'terraform'], tools: ['temporalCli'] },
  test: {
    needs: ['node', 'npm', 'git', 'terraform', 'python'],
    tools: ['temporalCli', 'testServer', 'moto', 'awsCli'],
  },
  bench: {
    needs: ['node', 'npm', 'git', 'terraform', 'python'],
    tools: ['temporalCli', 'awsCli', 'ecsDeploy'],
  },
  check: { needs: ['node', 'npm'], tools: [] },
  worker: { needs: ['node', 'npm', 'git'], tools: [] },
  sandbox: { needs: ['node', 'npm'], tools: [] },
  none: { needs: ['node', 'npm'], tools: [] },
};

/** Something the user has to put right; the message says what and how. */
export class SetupError extends Error {}

/**
 * @param {readonly string[]} argv without node and the script
 * @returns {{purpose: keyof typeof purposes, command: string[]}}
 */
export function parseArguments(argv) {
  const [flag, purpose, separator, ...command] = argv;
  const known = purpose !== undefined && Object.hasOwn(purposes, purpose);
  if (flag !== '--for' || !known || separator !== '--' || command.length === 0) {
    const allowed = Object.keys(purposes).join('|');
    throw new SetupError(`Usage: node scripts/setup.mjs --for ${allowed} -- command [arguments...]`);
  }
  return { purpose, command };
}
