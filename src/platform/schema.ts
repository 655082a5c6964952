import { z } from 'zod';
import { HUMAN_SIGNALS } from '../contract.ts';
import { POSSIBLE_SHIFTS } from '../domain/traffic-shift.ts';
import {
  duration,
  flag,
  integer,
  list,
  named,
  object,
  oneOf,
  percent,
  repositoryPath,
  share,
  someOf,
  text,
  wholeMinutes,
} from './fields.ts';

/** The shape of `slipway.yaml`. What it says of single fields is here, what fields say of each other is in `references.ts`. */

/** Defaults that rules between fields need too. */
export const DEFAULTS = { expiresAfter: '7d', minimumHealthyPercent: 100, maximumPercent: 200 } as const;

const NAME = text(
  'name',
  /^[a-z][a-z0-9-]{0,30}$/,
  'a name of 1 to 31 lower-case letters, digits and -, beginning with a letter',
);
const ACCOUNT = text(
  'account',
  /^\d{12}$/,
  'an AWS account number: 12 digits in quotes, such as "123456789012"',
);
const REGION = text('region', /^[a-z]{2}(-[a-z]+)+-\d$/, 'an AWS region, such as eu-west-1');
const PERSON = text('text', /\S/, 'the name that a person gives in `by`');
const VARIABLE = text(
  'name',
  /^[A-Za-z_][A-Za-z0-9_]*$/,
  'the name of an environment variable: letters, digits and _',
);
const VALUE = z.string({ error: 'a text; a number, true or false goes in quotes' }).meta({ title: 'text' });
const ARGUMENT = text('text', /^[^\0]+$/, 'a text that is not empty; a number goes in quotes');
const COMMAND = someOf('texts: a program and its arguments', ARGUMENT);

const ADDRESS = text(
  'address',
  /^[A-Za-z_*](.*\S)?$/,
  "a resource's address, * being any text, such as module.cache.* or aws_sqs_queue.jobs",
);
const TYPE = text(
  'resource type',
  /^[A-Za-z0-9_*-]+$/,
  'a resource type, * being any text, such as aws_cloudwatch_*',
);

/** `approve` and `recordManualTest` have their groups in `approval.required` and `manualTest.group`. */
const RESTRICTABLE_SIGNALS = HUMAN_SIGNALS.filter(
  (signal): signal is Exclude<typeof signal, 'approve' | 'recordManualTest'> =>
    signal !== 'approve' && signal !== 'recordManualTest',
);

const service = object({
  taskDefinition: repositoryPath().describe(
    "Template of the task definition, in the repository at the release's commit: `RegisterTaskDefinition`'s own fields as JSON.",
  ),
  repository: text(
    'name',
    /^[a-z0-9]+([._/-][a-z0-9]+)*$/,
    'the name of an ECR repository, such as notes/web',
  )
    .exactOptional()
    .describe('ECR repository of its images. Default: `<platform>/<service>`.'),
  ecsService: text('name', /^[A-Za-z0-9_-]{1,255}$/, 'the name of an ECS service: letters, digits, - and _')
    .exactOptional()
    .describe("Name of the ECS service in each environment's cluster. Default: the service's name here."),
  container: text('name', /^[A-Za-z0-9_-]{1,255}$/, 'the name of a container: letters, digits, - and _')
    .exactOptional()
    .describe(
      "The container of the task definition that gets the release's image. Default: the service's name here.",
    ),
  dependsOn: list('names of services', NAME)
    .default([])
    .describe('Services that are rolled out before this one.'),
  url: text('URL', /^(https?:\/\/|\$\{output:)\S+$/, 'an http(s) URL, or one from ${output:NAME}')
    .exactOptional()
    .describe(
      'Base URL; may hold `${output:NAME}`, a Terraform output. Without it the served version is not checked.',
    ),
  versionPath: text('path', /^\/\S*$/, 'a path that begins with /')
    .default('/version')
    .describe('Path that answers with the served version: JSON with `version`, or plain text.'),
});

const testSuite = object({
  command: COMMAND.describe("Program and arguments, run in the repository at the release's commit."),
  timeout: duration('1s', '1d').prefault('10m').describe('A suite that takes longer has failed.'),
  environment: named('values', VARIABLE, VALUE)
    .default({})
    .describe(
      'Environment variables of the command, which sees no credentials of the worker. Values may hold `${output:NAME}` and `${version}`.',
    ),
});

const migration = object({
  service: NAME.describe('The service whose task definition runs the migration, as a task of its own.'),
  command: COMMAND.describe("Replaces the container's command."),
  undo: COMMAND.exactOptional().describe(
    'Takes the migration back. Without it the migration is declared irreversible.',
  ),
  timeout: duration('10s', '1d').prefault('15m').describe('A migration that takes longer has failed.'),
});

const terraform = object({
  directory: repositoryPath().describe("The configuration, in the repository at the release's commit."),
  backend: named('values', text('name', /^\w+$/, 'the name of a backend setting'), VALUE)
    .default({})
    .describe(
      "Given to `terraform init` as `-backend-config`. A `path` that begins with `./` is relative to this file's folder.",
    ),
  variables: named('values', text('name', /^[A-Za-z_][\w-]*$/, 'the name of a Terraform variable'), VALUE)
    .default({})
    .describe('Given as `-var`.'),
  parameters: named(
    'SSM parameters',
    text('name', /^[A-Za-z_][\w-]*$/, 'the name of a Terraform variable'),
    text('name', /^[\w./-]+$/, 'the name of an SSM parameter'),
  )
    .default({})
    .describe(
      'Terraform variables that have the value of an SSM parameter. Given by the environment, so that no secret is in a command line.',
    ),
  variableFiles: list('paths in `directory`', repositoryPath())
    .default([])
    .describe('Given as `-var-file`; paths in `directory`.'),
  allowDestroy: z
    .union([flag(), someOf('patterns of addresses', ADDRESS)], {
      error: 'true, false, or a list of addresses, such as aws_sqs_queue.jobs or module.cache.*',
    })
    .default(false)
    .describe(
      'What a release may delete, replace or forget: anything, nothing, or what has one of these addresses. In an address `*` is any text; it is compared with the whole address, module path and instance key included. All else is refused.',
    ),
  allowedTypes: someOf('patterns of resource types', TYPE)
    .exactOptional()
    .describe(
      'Resource types that a release may change at all, such as `aws_ecs_service` or `aws_cloudwatch_*`, `*` being any text. Creating, forgetting, importing and moving are changes, reading a data source is none. Without it: every type.',
    ),
});

const approval = object({
  required: named('numbers of approvals', NAME, integer(1, 20)).describe(
    'How many approvals of which group. Each person counts once.',
  ),
  starterMayApprove: flag().default(false).describe('Whether the approval of who started the run counts.'),
  evidenceRequired: flag()
    .default(false)
    .describe("Whether an approval must name the evidence's digest (or 8 or more of its characters)."),
  expiresAfter: duration('10s', '90d')
    .prefault(DEFAULTS.expiresAfter)
    .describe('The run ends as `Expired` when the approvals are not there by then.'),
  remindEvery: duration('10s', '30d')
    .exactOptional()
    .describe('How often to send a reminder. Without it: none.'),
});

const judge = object({
  minimumRequests: integer(1, 1_000_000_000).describe(
    'Requests that the release must have had in a step: on less nothing passes, and no share fails.',
  ),
  maximumErrorRate: share()
    .exactOptional()
    .describe('Largest share of bad requests, whatever the old version has.'),
  maximumErrorRateIncrease: share()
    .exactOptional()
    .describe("How much larger the share of bad requests may be than the old version's in the same time."),
  latency: object({
    threshold: duration('1ms', '1h').describe('A request that takes longer is slow.'),
    minimumShare: share()
      .exactOptional()
      .describe('Smallest share of requests that are not slow, whatever the old version has.'),
    maximumDecrease: share()
      .exactOptional()
      .describe("How much smaller that share may be than the old version's in the same time."),
  })
    .exactOptional()
    .describe('Needs `minimumShare`, `maximumDecrease` or both.'),
});

const canary = object({
  steps: list('percentages', percent(0.1, 100)).describe(
    `Percent of the traffic after each step, the last 100. ECS can do ${POSSIBLE_SHIFTS}.`,
  ),
  bake: duration('1s', '7d').describe('How long each step is judged before the next.'),
  services: someOf('names of services', NAME)
    .exactOptional()
    .describe('Those that go by canary where they have a load balancer; the others roll. Default: all.'),
  deadMan: wholeMinutes('1m', '14d')
    .exactOptional()
    .describe(
      'ECS puts the old version back by itself when nobody acts on a pause for so long: a hold, or a question, can last no longer. It has to be longer than `bake` and than the smoke tests, by a tenth (2 minutes at the least), and by `rollout.timeout` too where services of one wave go by canary: they wait for each other. Default: the longer of the two plus `rollout.timeout` plus 10 minutes, or what it has to be where that is more. At 100 % the pause lasts longer, by all that may still come.',
    ),
  judge: judge.describe(
    'Thresholds of each step, beside `minimumRequests`: `maximumErrorRate` or `latency.minimumShare` at least, since at 100 % no old version is left to compare with.',
  ),
  onInconclusive: oneOf(['ask', 'rollback'])
    .default('rollback')
    .describe(
      'What becomes of a step with too little traffic to be good or bad at its end: `ask` waits for `slipway decide`.',
    ),
  smoke: list('names of suites', NAME)
    .default([])
    .describe('Suites of `tests` that run when the new tasks are up and have no traffic yet.'),
});

const rollout = object({
  timeout: duration('10s', '1d')
    .prefault('20m')
    .describe("A service's rollout that takes longer has failed; a canary's pauses do not count."),
  minimumHealthyPercent: percent(0, 100)
    .default(DEFAULTS.minimumHealthyPercent)
    .describe("ECS's `minimumHealthyPercent` during the rollout."),
  maximumPercent: percent(100, 200)
    .default(DEFAULTS.maximumPercent)
    .describe("ECS's `maximumPercent` during the rollout."),
  allowedTaskDeaths: integer(0, 1_000)
    .default(1)
    .describe('Tasks of a service that may die before its release has failed.'),
  alarms: list(
    'names of CloudWatch alarms',
    text('name', /^\S(.{0,253}\S)?$/, 'the name of a CloudWatch alarm'),
  )
    .default([])
    .describe(
      'CloudWatch alarms in the environment: ECS takes a rollout back when one goes into ALARM. With alarms a rollout lasts longer, by a time that ECS takes from them.',
    ),
  canary: canary
    .exactOptional()
    .describe('Shifts the traffic in steps, each judged before the next. Without it services roll.'),
});

const metrics = object({
  window: duration('1s', '1d')
    .prefault('5m')
    .describe('How long the metrics are gathered before they are judged.'),
  minimumRequests: integer(1, 1_000_000_000)
    .exactOptional()
    .describe(
      'Requests that a service must have had in the window for its error rate and latency to be judged.',
    ),
  maximumErrorRate: share()
    .exactOptional()
    .describe('Largest share of bad requests. Needs `minimumRequests`.'),
  latency: object({
    threshold: duration('1ms', '1h').describe('A request that takes longer is slow.'),
    minimumShare: share().describe('Smallest share of requests that are not slow.'),
  })
    .exactOptional()
    .describe('Needs `minimumRequests`.'),
  maximumCpu: percent(1, 100)
    .exactOptional()
    .describe("Highest average CPU, in percent of the task's reservation."),
  maximumMemory: percent(1, 100)
    .exactOptional()
    .describe("Highest average memory, in percent of the task's reservation."),
});

const verification = object({
  tests: list('names of suites', NAME)
    .default([])
    .describe('Suites of `tests`, in the order in which they run.'),
  metrics: metrics.prefault({}).describe('Thresholds. A metric without one is reported, not judged.'),
  manualTest: object({
    group: NAME.exactOptional().describe('Who may record the result. Without it: any named person.'),
    instructions: text('text', /\S/, 'a text for the tester').describe('What the tester is to do.'),
    expiresAfter: duration('10s', '90d')
      .prefault('1d')
      .describe('The release is rolled back when there is no result by then.'),
  })
    .exactOptional()
    .describe('A person tests and answers with the signal `recordManualTest`.'),
  soak: duration('0s', '7d')
    .prefault('0s')
    .describe('How long the same signals are watched after the verification.'),
});

const environment = object({
  account: ACCOUNT.describe("AWS account. The caller's identity must match it before anything is changed."),
  region: REGION.describe('AWS region.'),
  role: text(
    'ARN',
    /^arn:aws[a-z-]*:iam::\d{12}:role\/\S+$/,
    "an IAM role's ARN, such as arn:aws:iam::123456789012:role/slipway",
  )
    .exactOptional()
    .describe("IAM role that is assumed there. Without it: the worker's own identity."),
  cluster: text(
    'name',
    /^[A-Za-z0-9_-]{1,255}$/,
    'the name of an ECS cluster: letters, digits, - and _',
  ).describe('ECS cluster.'),
  desiredCount: z
    .union([integer(1, 5_000), named('task counts', NAME, integer(1, 5_000))], {
      error: 'a whole number from 1 to 5000, or a map of such numbers by service',
    })
    .default(1)
    .describe(
      'Tasks that each service has at least when it is rolled out: one number for all, or a map by service (1 for those that are not in it). A service that was scaled out further keeps its tasks.',
    ),
  terraform: terraform.exactOptional().describe('Applied before the services are rolled out.'),
  settings: repositoryPath()
    .exactOptional()
    .describe(
      "The release's settings here, in the repository at its commit: a JSON object of texts. Written to SSM once per release.",
    ),
  required: object({
    parameters: list('names of SSM parameters', text('name', /^[\w./-]+$/, 'the name of an SSM parameter'))
      .default([])
      .describe('SSM parameters that must exist.'),
    secrets: list('names of secrets', text('name', /^[\w/+=.@-]+$/, 'the name of a Secrets Manager secret'))
      .default([])
      .describe('Secrets Manager secrets that must exist.'),
  })
    .prefault({})
    .describe('What must be there before a release starts.'),
  approval: approval
    .exactOptional()
    .describe('Who must agree before anything is changed. Without it: nobody.'),
  rollout: rollout.prefault({}).describe('How the services get the release.'),
  verification: verification.prefault({}).describe('What a release must show once it serves.'),
  keepReleases: integer(2, 200)
    .default(20)
    .describe('Releases that the ledger keeps, and so those that a rollback can go back to.'),
});

const platform = object({
  platform: text(
    'name',
    /^(?!aws|ssm)[a-z][a-z0-9-]{1,30}$/,
    'a name of 2 to 31 lower-case letters, digits and -, beginning with a letter, not with aws or ssm',
  ).describe('Name of the platform. Part of workflow ids, parameter names and ECR repositories.'),
  source: object({
    repository: text(
      'path or URL',
      /\S/,
      "a path (relative to this file's folder) or a URL of a git repository",
    )
      .default('.')
      .describe(
        "Path, relative to this file's folder, or URL of the git repository that holds the releases' commits.",
      ),
  })
    .prefault({})
    .describe('Where the releases come from.'),
  registry: object({
    account: ACCOUNT.exactOptional().describe(
      "AWS account of the registry. Default: the first environment's.",
    ),
    region: REGION.exactOptional().describe("AWS region of the registry. Default: the first environment's."),
    host: text('host', /^[a-z0-9.-]+(:\d+)?$/, 'a host name, with a port if need be')
      .exactOptional()
      .describe('Host in image references. Default: derived from account and region.'),
    scanGate: object({
      CRITICAL: integer(0, 10_000).exactOptional().describe('Most critical findings.'),
      HIGH: integer(0, 10_000).exactOptional().describe('Most high findings.'),
      MEDIUM: integer(0, 10_000).exactOptional().describe('Most medium findings.'),
      LOW: integer(0, 10_000).exactOptional().describe('Most low findings.'),
    })
      .exactOptional()
      .describe(
        'Findings that the scan of an image may have at the most. A severity that is not here is not gated. Without `scanGate` no scan is asked for.',
      ),
  })
    .prefault({})
    .describe('The ECR registry that holds the images.'),
  services: named('services', NAME, service).describe(
    'The services, by name. Each is one container image and one ECS service in each environment.',
  ),
  tests: named('test suites', NAME, testSuite).default({}).describe('Test suites, by name.'),
  groups: named('groups', NAME, someOf('names of people', PERSON)).default({}).describe('People, by group.'),
  signals: z
    .partialRecord(z.enum(RESTRICTABLE_SIGNALS), someOf('names of groups', NAME), {
      error: `a map of lists of groups by signal: ${RESTRICTABLE_SIGNALS.join(', ')}`,
    })
    .default({})
    .describe('Which groups may send a signal. A signal that is not here is open to any named person.'),
  migration: migration
    .exactOptional()
    .describe('Run once per deployment, after Terraform and before the services.'),
  notifications: object({
    webhook: object({
      url: text('URL', /^https?:\/\/\S+$/, 'an http(s) URL').describe('Notices are posted here as JSON.'),
      secretVariable: VARIABLE.exactOptional().describe(
        "Environment variable of the worker that holds the key of the notices' HMAC-SHA256 signature. Without it: unsigned.",
      ),
    })
      .exactOptional()
      .describe('Without it notices are only logged.'),
  })
    .prefault({})
    .describe('Who is told.'),
  environments: named('environments', NAME, environment).describe(
    'The environments, by name, in the order in which a release passes them.',
  ),
});

export const environmentSchema = environment;
/** Without `defaults`, which the loader merges under each environment before this looks. */
export const platformSchema = platform;
export const DEFAULTS_DESCRIPTION =
  'Merged under each environment: what an environment says itself counts. Maps are merged, lists are replaced.';

export type PlatformFile = z.output<typeof platformSchema>;
export type EnvironmentFile = z.output<typeof environmentSchema>;
