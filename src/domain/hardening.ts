/** The parts of a container definition that hardening looks at (RegisterTaskDefinition's own names). */
export interface ContainerDefinition {
  readonly name?: string;
  readonly image?: string;
  readonly essential?: boolean;
  readonly user?: string;
  readonly privileged?: boolean;
  readonly readonlyRootFilesystem?: boolean;
  readonly memory?: number;
  readonly memoryReservation?: number;
  readonly linuxParameters?: { readonly capabilities?: { readonly add?: readonly string[] } };
  readonly logConfiguration?: object;
  readonly environment?: readonly { readonly name?: string; readonly value?: string }[];
  readonly secrets?: readonly { readonly name?: string; readonly valueFrom?: string }[];
}

export interface HardenedDefinition {
  readonly memory?: string;
  readonly containerDefinitions: readonly ContainerDefinition[];
}

/** Words that make a variable's name that of a secret; `TOKEN` only at the end, so that `TOKEN_LIMIT` is none. */
const SECRET_NAME = /(^|_)(PASSWORD|PASSWD|SECRET|API_?KEY|PRIVATE_?KEY)(_|$)|(^|_)TOKEN$/;
/** What such a name may end in without being the secret itself. */
const ABOUT_A_SECRET = /_(ARN|NAME|FILE|PATH|LENGTH|LIMIT|TTL)$/;

/** @returns what is not hardened, one line each, with what to write; empty when all is well */
export function hardeningProblems(definition: HardenedDefinition): string[] {
  return definition.containerDefinitions.flatMap((container) =>
    containerProblems(container, definition.memory !== undefined).map(
      (problem) => `container ${container.name ?? '(without a name)'}: ${problem}`,
    ),
  );
}

function containerProblems(container: ContainerDefinition, taskHasMemory: boolean): string[] {
  const problems: string[] = [];
  const added = container.linuxParameters?.capabilities?.add ?? [];
  const hasMemory =
    taskHasMemory || container.memory !== undefined || container.memoryReservation !== undefined;
  if (container.readonlyRootFilesystem !== true) problems.push('set readonlyRootFilesystem to true');
  if (!container.user) problems.push('set user to one that is not root, such as 1000:1000');
  else if (isRoot(container.user)) problems.push(`user is ${container.user}: set one that is not root`);
  if (container.privileged === true) problems.push('remove privileged');
  if (added.length > 0) problems.push(`remove the added Linux capabilities ${added.join(', ')}`);
  if (container.essential !== false && !hasMemory)
    problems.push('set memory or memoryReservation, or memory of the task');
  if (!container.logConfiguration) problems.push('set a logConfiguration');
  return [...problems, ...plainSecrets(container)];
}

function isRoot(user: string): boolean {
  const [name] = user.split(':');
  return name === 'root' || /^0+$/.test(name ?? '');
}

function plainSecrets({ environment = [] }: ContainerDefinition): string[] {
  return environment
    .map(({ name = '' }) => name)
    .filter(looksSecret)
    .map(
      (name) =>
        `${name} in environment looks like a secret: move it to secrets, with \${secret:NAME} as its valueFrom`,
    );
}

/** Whether a variable of this `name` likely holds a secret. */
export function looksSecret(name: string): boolean {
  const words = name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll('-', '_')
    .toUpperCase();
  return SECRET_NAME.test(words) && !ABOUT_A_SECRET.test(words);
}
