import type { Diagnostic } from './diagnostics.ts';

/** What an error means. */
export interface Diagnosis {
  /** For programs. */
  readonly reason: string;
  /** Trying again, with nothing changed by hand, may help. */
  readonly transient: boolean;
  /** For people. */
  readonly remedy: string;
}

/** An error of terraform's that has a name. */
export interface KnownError {
  readonly reason: string;
  /** Of the error's summary. */
  readonly summary?: RegExp;
  /** Of summary and detail, each run of white space being one blank. Both must match where both are given. */
  readonly text?: RegExp;
  /** When another attempt may help. One that breaks an apply off may have cut a change, which is not for a retry. */
  readonly passes: 'always' | 'unless applying' | 'never';
  readonly remedy: string;
}

const STATE_LOCK = /Error (acquiring|locking) the state|state lock/i;
const UNREACHABLE =
  /i\/o timeout|timed out|handshake timeout|Client\.Timeout|deadline exceeded|connection (refused|reset)|(Failed to|Couldn't) connect|Could not resolve host|no such host|network is unreachable|unexpected EOF|giving up after \d+ attempt|StatusCode: 50[0234]|50[234] (Bad Gateway|Service Unavailable|Gateway Time-?out)/i;

/** The first row that fits an error is its meaning: what is rarer, or worse, stands before what it could be taken for. */
export const KNOWN_ERRORS: readonly KnownError[] = [
  {
    reason: 'StateNotSaved',
    summary: /Failed to (persist|save|upload) state|Error saving (the )?state/i,
    passes: 'never',
    remedy:
      'What was applied is not in the state. Push the file that is named here, with `slipway terraform recover`, before any other run.',
  },
  {
    reason: 'LockNotReleased',
    summary: /Error releasing the state lock/i,
    passes: 'unless applying',
    remedy:
      "Terraform did its work, and what it applied is in the state. An apply's own lock is released when the backend answers again by then; if the state is still locked, type `slipway terraform unlock --environment <name> --id <ID>`, with the ID that the next attempt to lock it names.",
  },
  {
    reason: 'BackendAccess',
    text: /HTTP remote state endpoint (requires|invalid) auth/,
    passes: 'never',
    remedy:
      'The state backend refuses who asks. Give the worker its credentials by TF_HTTP_USERNAME and TF_HTTP_PASSWORD.',
  },
  {
    reason: 'CredentialsMissing',
    text: /no valid credential sources|NoCredentialProviders|failed to refresh cached credentials|Unable to locate credentials/i,
    passes: 'never',
    remedy: 'Give the worker AWS credentials; `aws sts get-caller-identity` shows whose they are.',
  },
  {
    reason: 'CredentialsExpired',
    text: /ExpiredToken|RequestExpired|security token included in the request is expired|credentials have expired/i,
    passes: 'unless applying',
    remedy:
      "Run the deployment again: each attempt gets new credentials of the environment's role. They last an hour: for an apply that takes longer have the provider assume the role itself (assume_role).",
  },
  {
    reason: 'CredentialsInvalid',
    text: /InvalidClientTokenId|UnrecognizedClient|SignatureDoesNotMatch|InvalidAccessKeyId|AuthFailure|IncompleteSignature|security token included in the request is invalid/,
    passes: 'never',
    remedy: 'Give the worker valid AWS credentials; `aws sts get-caller-identity` shows whose they are.',
  },
  {
    reason: 'ModuleAccess',
    summary: /^Failed to download module/,
    text: /Authentication failed|could not read (Username|Password)|Permission denied \(|[Rr]epository .*not found|returned error: 40[134]/,
    passes: 'never',
    remedy:
      "Let the worker read the module's repository (its git credentials or ssh key), or correct the source.",
  },
  {
    reason: 'AccessDenied',
    text: /AccessDenied|UnauthorizedOperation|AuthorizationError|not authorized to perform|StatusCode: 403|403 Forbidden|Cannot assume IAM Role/,
    passes: 'never',
    remedy: "Allow that action for the environment's role, then run the deployment again.",
  },
  {
    reason: 'Certificate',
    text: /x509: |server gave HTTP response to HTTPS client|tls: (failed to verify|unknown certificate|bad certificate)/,
    passes: 'never',
    remedy: 'Check the address, and that the worker trusts the certificate (SSL_CERT_FILE).',
  },
  {
    reason: 'StateBehind',
    text: /does not have the expected content/,
    passes: 'unless applying',
    remedy:
      'The state is not the one that was written last. If it stays so, compare it with its digest (s3: the item `-md5` in the lock table).',
  },
  {
    reason: 'StateNewer',
    text: /which is newer than current|managed by newer provider version|uses format version \d+, which is not supported/,
    passes: 'never',
    remedy: 'A later version wrote the state. Install it on the workers, and never mix them.',
  },
  {
    reason: 'StateCorrupt',
    text: /(Invalid|Unsupported) state (file )?format|[Ss]tate file could not be parsed/,
    passes: 'never',
    remedy:
      "What the backend has is no state. Check the backend's address; if that is right, put back the last good version of the state.",
  },
  {
    reason: 'Unreachable',
    summary: STATE_LOCK,
    text: UNREACHABLE,
    passes: 'always',
    remedy: 'Check that the worker reaches the state backend, and that its address is right.',
  },
  {
    reason: 'StateLocked',
    summary: STATE_LOCK,
    passes: 'always',
    remedy:
      'Another terraform holds the state lock. If none runs any more, release it with `slipway terraform unlock --environment <name> --id <ID>`, the ID as given here.',
  },
  {
    reason: 'StalePlan',
    summary: /Saved plan (is stale|does not match)/,
    passes: 'always',
    remedy:
      'The state changed between planning and applying: something else applies to it. The next attempt plans anew.',
  },
  {
    reason: 'MissingVariable',
    summary: /No value for required variable/,
    passes: 'never',
    remedy:
      'Give the variable in slipway.yaml (environments.<name>.terraform.variables, variableFiles or parameters), or a default in the configuration.',
  },
  {
    reason: 'UndeclaredVariable',
    summary: /Value for undeclared variable/,
    passes: 'never',
    remedy: 'Declare the variable in the configuration, or take it out of slipway.yaml.',
  },
  {
    reason: 'InvalidVariable',
    summary: /^Invalid (value for (input )?variable|default value for variable)/,
    passes: 'never',
    remedy:
      'Correct the value in slipway.yaml, in the variable file or in SSM, or the rule in the configuration.',
  },
  {
    reason: 'PreventDestroy',
    summary: /Instance cannot be destroyed/,
    passes: 'never',
    remedy:
      'The configuration itself forbids it (lifecycle prevent_destroy). Change the configuration so that the resource stays.',
  },
  {
    reason: 'ConditionFailed',
    summary: /(precondition|postcondition|assertion) failed/i,
    passes: 'never',
    remedy: "The configuration's own condition does not hold. Make it hold, or correct the condition.",
  },
  {
    reason: 'DependencyCycle',
    summary: /^Cycle: /,
    passes: 'never',
    remedy: 'These depend on each other in a circle. Take one of the references out.',
  },
  {
    reason: 'UnknownCount',
    summary: /^Invalid (for_each|count) argument/,
    passes: 'never',
    remedy:
      'How many there are must be known when it is planned: use keys and counts that are in the configuration, or release what they come from first.',
  },
  {
    reason: 'LockFile',
    text: /[Dd]ependency lock file|Provider dependency changes detected|Required plugins are not installed/,
    passes: 'never',
    remedy:
      "Run `terraform init` and `terraform providers lock` for the workers' platform, and commit .terraform.lock.hcl.",
  },
  {
    reason: 'ProviderNotFound',
    summary: /^Failed to (install|query|resolve) /,
    text: /does not have a provider named|no available releases match|not available for /,
    passes: 'never',
    remedy: "Correct the provider's source and version in required_providers.",
  },
  {
    reason: 'ProviderUnavailable',
    summary: /^Failed to (install|query|resolve) /,
    passes: 'unless applying',
    remedy:
      "Check that the worker reaches the provider's registry, or give it a mirror in the file that TF_CLI_CONFIG_FILE names.",
  },
  {
    reason: 'ModuleNotFound',
    summary: /^Failed to download module/,
    text: /couldn't find remote ref|did not match any file|unknown revision|subdir ".*" not found/,
    passes: 'never',
    remedy: "Correct the module's source: the branch, tag or folder that it names is not there.",
  },
  {
    reason: 'ModuleUnavailable',
    summary: /^(Failed to download module|Error accessing remote module registry)/,
    passes: 'unless applying',
    remedy: "Check that the worker reaches the module's source.",
  },
  {
    reason: 'ModuleNotFound',
    summary:
      /^(Unreadable module directory|Module (not found|not installed|version requirements have changed))/,
    passes: 'never',
    remedy:
      "Correct the module's source or version; a local one must be in the repository at the release's commit.",
  },
  {
    reason: 'TerraformVersion',
    summary: /Unsupported (Terraform|OpenTofu) Core version/,
    passes: 'never',
    remedy: "Install a version that the configuration's required_version allows on the workers.",
  },
  {
    reason: 'Throttled',
    text: /Throttl|TooManyRequests|Too Many Requests|RequestLimitExceeded|Rate exceeded|StatusCode: 429/i,
    passes: 'unless applying',
    remedy: 'AWS is asked too often. Run fewer things at the same time in this account.',
  },
  {
    reason: 'Unreachable',
    text: UNREACHABLE,
    passes: 'unless applying',
    remedy: 'Check that the worker reaches what it names, and that its address is right.',
  },
  {
    reason: 'Backend',
    summary:
      /^(Backend (initiali[sz]ation|configuration|type)|(Missing|Unsupported|Invalid|Duplicate).{0,20}\bbackend|Error configuring .*backend|Failed to get existing workspaces|S3 bucket)/i,
    passes: 'never',
    remedy:
      'Check the backend block of the configuration and environments.<name>.terraform.backend in slipway.yaml.',
  },
  {
    reason: 'Backend',
    text: /\bbackend\.hcl line \d/,
    passes: 'never',
    remedy: 'Correct environments.<name>.terraform.backend in slipway.yaml, of which backend.hcl is made.',
  },
  {
    reason: 'LimitReached',
    text: /LimitExceeded|QuotaExceeded|(exceeds?|exceeded|reached) (the|your|a) .{0,40}(limit|quota)/i,
    passes: 'never',
    remedy: 'Have the quota raised (`aws service-quotas`), or free some of what it counts.',
  },
  {
    reason: 'AlreadyExists',
    text: /AlreadyExists|AlreadyOwnedByYou|already exists/,
    passes: 'never',
    remedy:
      'It is there, and the state does not know of it: made by hand, or by an apply that was cut. Import it (an `import` block), or delete it.',
  },
  {
    reason: 'ProviderCrashed',
    text: /Plugin did not respond|[Pp]lugin (crashed|exited)|Failed to instantiate provider|Unrecognized remote plugin message|timeout while waiting for plugin/,
    passes: 'unless applying',
    remedy:
      "The provider's process ended or never began. See that the worker has memory for it, then run the deployment again.",
  },
  {
    reason: 'ProviderDefect',
    summary: /^Provider produced (inconsistent|invalid)/,
    passes: 'never',
    remedy:
      "This is a defect of the provider. Try another version of it, or report it to the provider's authors.",
  },
  {
    reason: 'InvalidConfiguration',
    summary:
      /encountered problems during initiali[sz]ation|^(Unsupported (argument|attribute|block type)|Missing (required argument|name for|newline|item|key)|Invalid (reference|expression|block definition|function argument|resource type|data source|attribute|character|operand|quoted type|template|multi-line)|Reference to undeclared|Unclosed |Unterminated |Argument or block definition required|Attribute redefined|Duplicate |Insufficient .* blocks|Too many .* blocks|Incorrect attribute value type|Inconsistent conditional|Error in function call|Call to unknown function|Missing resource instance key)/,
    passes: 'never',
    remedy: 'Correct the configuration and release it as a new version. `terraform validate` shows the same.',
  },
];

/** The worst known meaning among the errors, in a phase that may have changed something. */
export function diagnose(errors: readonly Diagnostic[]): Diagnosis | undefined {
  const [worst] = meanings(errors).toSorted((a, b) => KNOWN_ERRORS.indexOf(a) - KNOWN_ERRORS.indexOf(b));
  return worst && { reason: worst.reason, transient: worst.passes === 'always', remedy: worst.remedy };
}

/** What makes an error of a phase that changes nothing worth another attempt, whatever the others mean. */
export function diagnosePassing(errors: readonly Diagnostic[]): Diagnosis | undefined {
  const passing = meanings(errors).find(({ passes }) => passes === 'unless applying');
  return passing && { reason: passing.reason, transient: true, remedy: passing.remedy };
}

function meanings(errors: readonly Diagnostic[]): KnownError[] {
  return errors.flatMap((error) => KNOWN_ERRORS.find((row) => fits(row, error)) ?? []);
}

function fits({ summary, text }: KnownError, error: Diagnostic): boolean {
  const whole = `${error.summary} ${error.detail}`.replaceAll(/\s+/g, ' ');
  return (summary?.test(error.summary) ?? true) && (text?.test(whole) ?? true);
}
