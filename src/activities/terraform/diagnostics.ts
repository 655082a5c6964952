/** An error that terraform reported. */
export interface Diagnostic {
  readonly summary: string;
  readonly detail: string;
}

/** What an error's summary means. */
export interface Diagnosis {
  /** For programs. */
  readonly reason: string;
  /** Trying again, with nothing changed by hand, may help. */
  readonly transient: boolean;
  /** For people. */
  readonly remedy: string;
}

const KNOWN: readonly (Diagnosis & { readonly summary: RegExp })[] = [
  {
    summary: /Error (acquiring|locking) the state|state lock/i,
    reason: 'StateLocked',
    transient: true,
    remedy:
      'Another terraform holds the state lock. If none runs any more, release it with `terraform force-unlock <ID>`, the ID as given here.',
  },
  {
    summary: /Saved plan (is stale|does not match)/,
    reason: 'StalePlan',
    transient: true,
    remedy:
      'The state changed between planning and applying: something else applies to it. The next attempt plans anew.',
  },
  {
    summary: /Failed to (persist|save|upload) state|Error saving (the )?state/i,
    reason: 'StateNotSaved',
    transient: false,
    remedy:
      'What was applied is not in the state. Run `terraform state push` with the file that is named here before any other run.',
  },
  {
    summary: /No value for required variable/,
    reason: 'MissingVariable',
    transient: false,
    remedy:
      'Give the variable in slipway.yaml (environments.<name>.terraform.variables or variableFiles), or a default in the configuration.',
  },
  {
    summary: /Value for undeclared variable/,
    reason: 'UndeclaredVariable',
    transient: false,
    remedy: 'Declare the variable in the configuration, or take it out of slipway.yaml.',
  },
  {
    summary: /Instance cannot be destroyed/,
    reason: 'PreventDestroy',
    transient: false,
    remedy:
      'The configuration itself forbids it (lifecycle prevent_destroy). Change the configuration so that the resource stays.',
  },
  {
    summary: /dependency lock file|checksum|required_providers/i,
    reason: 'LockFile',
    transient: false,
    remedy:
      "Run `terraform init` and `terraform providers lock` for the workers' platform, and commit .terraform.lock.hcl.",
  },
  {
    summary: /Failed to (install|query)|registry/i,
    reason: 'ProviderUnavailable',
    transient: true,
    remedy:
      "Check that the worker reaches the provider's registry, or give it a mirror in the file that TF_CLI_CONFIG_FILE names.",
  },
  {
    summary: /encountered problems during initiali[sz]ation/,
    reason: 'InvalidConfiguration',
    transient: false,
    remedy: 'Correct the configuration and release it as a new version. `terraform validate` shows the same.',
  },
  {
    summary: /backend/i,
    reason: 'Backend',
    transient: false,
    remedy:
      'Check the backend block of the configuration and environments.<name>.terraform.backend in slipway.yaml.',
  },
  {
    summary: /Unsupported Terraform Core version/,
    reason: 'TerraformVersion',
    transient: false,
    remedy: "Install a version that the configuration's required_version allows on the workers.",
  },
];

/** What networks and services that are busy answer. Said by providers and backends, in a summary or a detail. */
const PASSING =
  /i\/o timeout|timed out|handshake timeout|Client\.Timeout|deadline exceeded|connection (refused|reset)|no such host|network is unreachable|unexpected EOF|Throttl|TooManyRequests|Too Many Requests|RequestLimitExceeded|Rate exceeded|StatusCode: (429|50[0234])|50[234] (Bad Gateway|Service Unavailable|Gateway Time-?out)/i;
const UNREACHABLE: Diagnosis = {
  reason: 'Unreachable',
  transient: true,
  remedy: 'Check that the worker reaches what it names, and that this is not asked too often.',
};

/** What makes an error of a phase that changes nothing worth another attempt, whatever else the error means. */
export function diagnosePassing(errors: readonly Diagnostic[]): Diagnosis | undefined {
  return errors.some(({ summary, detail }) => PASSING.test(`${summary} ${detail}`)) ? UNREACHABLE : undefined;
}

/** The first known meaning among the errors. */
export function diagnose(errors: readonly Diagnostic[]): Diagnosis | undefined {
  return KNOWN.find(({ summary }) => errors.some((error) => summary.test(error.summary)));
}

/** Errors out of terraform's JSON stream (`-json`) and out of its text for people. */
export function readDiagnostics(stdout: string, stderr: string): Diagnostic[] {
  const fromJson = stdout.split('\n').flatMap(readLine);
  const fromText = [
    ...readText(
      stdout
        .split('\n')
        .filter((line) => !line.startsWith('{'))
        .join('\n'),
    ),
    ...readText(stderr),
  ];
  return [...fromJson, ...fromText];
}

function readLine(line: string): Diagnostic[] {
  if (!line.startsWith('{')) return [];
  try {
    const entry: unknown = JSON.parse(line);
    const found = member(entry, 'diagnostic');
    return member(found, 'severity') === 'error' ? [diagnosticOf(found)] : [];
  } catch {
    return [];
  }
}

/** `Error: summary`, an empty line, the detail; in a frame of box characters or not. */
function readText(text: string): Diagnostic[] {
  const plain = text.replaceAll(/^[╷│╵] ?/gm, '');
  return plain
    .split(/^Error: /m)
    .slice(1)
    .map((part) => {
      const [summary = '', ...detail] = part.split('\n');
      return { summary: summary.trim(), detail: detail.join('\n').trim() };
    });
}

function diagnosticOf(value: unknown): Diagnostic {
  const text = (name: string) => {
    const found = member(value, name);
    return typeof found === 'string' ? found : '';
  };
  const address = text('address');
  return {
    summary: text('summary'),
    detail: [address && `with ${address}:`, text('detail')].filter(Boolean).join(' '),
  };
}

function member(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.entries(value).find(([key]) => key === name)?.[1];
}
