import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { freePorts } from '../../scripts/rehearsal/ports.ts';
import { commitReleases, SERVICE_MODULE, SHARED_CODE, takenFromExample, type Files } from './repository.ts';

const SERVER = 'services/suggestions/server.mjs';
/** What the small platform takes of the example as it is. */
const TAKEN = [
  SERVER,
  'services/suggestions/excerpt.mjs',
  'services/suggestions/pick.mjs',
  ...SHARED_CODE,
  ...SERVICE_MODULE,
];

export interface SmallPlatform {
  readonly platformFile: string;
  readonly repository: string;
  /** Commit by version. */
  readonly commits: Readonly<Record<string, string>>;
  /** Where the service of an environment answers. */
  url(environment: string): string;
  /** Terraform's state of an environment. */
  stateFile(environment: string): string;
}

/**
 * Makes a platform of one service, the example's suggestions, which takes a fraction of the whole example's time to deploy.
 * @param options.releases by version, what each changes of the plainest one
 * @param options.environments by name, what of its policy differs from the plainest one; of `terraform` what is added to it
 */
export async function createSmallPlatform(options: {
  readonly directory: string;
  readonly releases: Readonly<Record<string, Files>>;
  readonly environments: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}): Promise<SmallPlatform> {
  const directory = join(options.directory, 'small');
  const repository = join(directory, 'repository');
  await mkdir(join(directory, 'state'), { recursive: true });
  const commits = await commitReleases(repository, await plainest(), options.releases);
  const names = Object.keys(options.environments);
  const ports = await freePorts(names.length);
  const port = (environment: string) => ports[names.indexOf(environment)] ?? 0;
  const platformFile = join(directory, 'slipway.yaml');
  await writeFile(platformFile, stringify(policy(options.environments, port)));
  return {
    platformFile,
    repository,
    commits,
    url: (environment) => `http://127.0.0.1:${port(environment)}`,
    stateFile: (environment) => join(directory, 'state', `${environment}.tfstate`),
  };
}

/** A release whose test suite fails. */
export const FAILING_TEST: Files = {
  'tests/check.mjs': "console.error('the check fails');\nprocess.exit(1);\n",
};

/** A release whose `terraform apply` stops in the middle for as long as the file is there; what depends on it comes after. */
export function applyHeldBy(file: string): Files {
  return {
    'terraform/waits.tf': `
resource "terraform_data" "waits" {
  provisioner "local-exec" {
    command = "echo made >> '${file}.made'; ${waitWhile(file)}"
  }
}

resource "aws_ssm_parameter" "after" {
  name       = "/writing/\${var.environment}/after"
  type       = "String"
  value      = var.release_version
  depends_on = [terraform_data.waits]
}
`,
  };
}

/** A release whose service does not serve as long as the file is there. */
export function startHeldBy(file: string): Files {
  return {
    'services/suggestions/wait.mjs': `
import { existsSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
while (existsSync(${JSON.stringify(file)})) await pause(50);
`,
    'services/suggestions/server.mjs': `import './wait.mjs';\nawait import('./serving.mjs');\n`,
    'services/suggestions/serving.mjs': SERVED,
  };
}

const { [SERVER]: SERVED = '' } = await takenFromExample([SERVER]);

/** Not for ever: a test that failed must not leave it behind. */
function waitWhile(file: string): string {
  return `for i in $(seq 1200); do [ -e '${file}' ] || break; sleep 0.1; done`;
}

async function plainest(): Promise<Files> {
  return {
    ...(await takenFromExample(TAKEN)),
    'terraform/main.tf': TERRAFORM,
    'deploy/suggestions.json': JSON.stringify(TASK_DEFINITION, undefined, 2),
    'deploy/settings.json': JSON.stringify({ STYLE: 'plain' }),
    'tests/check.mjs': TEST,
  };
}

function policy(
  environments: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  port: (environment: string) => number,
): unknown {
  return {
    platform: 'writing-platform',
    source: { repository: './repository' },
    services: { suggestions: { taskDefinition: 'deploy/suggestions.json', url: '${output:url}' } },
    tests: {
      check: {
        command: ['node', 'tests/check.mjs'],
        timeout: '30s',
        environment: { URL: '${output:url}', VERSION: '${version}' },
      },
    },
    groups: { approvers: ['alice', 'bob'] },
    environments: Object.fromEntries(
      Object.entries(environments).map(([name, { terraform: added, ...own }]) => [
        name,
        {
          account: '000000000000',
          region: 'eu-west-1',
          cluster: `writing-${name}`,
          settings: 'deploy/settings.json',
          terraform: {
            directory: 'terraform',
            backend: { path: `./state/${name}.tfstate` },
            variables: { environment: name, port: String(port(name)) },
            allowDestroy: true,
            ...(added as object | undefined),
          },
          rollout: { timeout: '1m' },
          verification: { tests: ['check'], metrics: { window: '1s' } },
          ...own,
        },
      ]),
    ),
  };
}

const TERRAFORM = `
terraform {
  required_providers {
    aws = {
      source  = "sandbox.local/rehearsal/aws"
      version = "1.0.0"
    }
  }
  backend "local" {}
}

provider "aws" {
  region = "eu-west-1"
}

variable "environment" {
  type = string
}

variable "port" {
  type = number
}

variable "release_version" {
  type = string
}

variable "token" {
  type      = string
  sensitive = true
  default   = "none"
}

resource "aws_ecs_cluster" "this" {
  name = "writing-\${var.environment}"
}

module "service" {
  source             = "./modules/service"
  name               = "suggestions"
  environment        = var.environment
  cluster_arn        = aws_ecs_cluster.this.arn
  listener_port      = var.port
  vpc_id             = "vpc-00000000000000000"
  subnets            = ["subnet-00000000000000001", "subnet-00000000000000002"]
  security_groups    = ["sg-00000000000000001"]
  execution_role_arn = "arn:aws:iam::000000000000:role/writing-execution"

  canary                 = false
  load_balancer_role_arn = "arn:aws:iam::000000000000:role/writing-load-balancer"
}

resource "aws_ssm_parameter" "token" {
  name  = "/writing/\${var.environment}/token"
  type  = "SecureString"
  value = var.token
}

resource "aws_ssm_parameter" "configuration_release" {
  name  = "/writing/\${var.environment}/configuration-release"
  type  = "String"
  value = var.release_version
}

output "url" {
  value = module.service.url
}
`;

const TASK_DEFINITION = {
  family: 'writing-${environment}-suggestions',
  requiresCompatibilities: ['FARGATE'],
  networkMode: 'awsvpc',
  cpu: '512',
  memory: '1024',
  executionRoleArn: 'arn:aws:iam::000000000000:role/writing-execution',
  containerDefinitions: [
    {
      name: 'suggestions',
      image: '${image}',
      essential: true,
      user: '1000:1000',
      readonlyRootFilesystem: true,
      memoryReservation: 128,
      portMappings: [{ containerPort: 8080, protocol: 'tcp' }],
      environment: [{ name: 'MODEL_GATEWAY_URL', value: 'http://127.0.0.1:9' }],
      secrets: [
        { name: 'STYLE', valueFrom: '${setting:STYLE}' },
        { name: 'MODEL_API_KEY', valueFrom: '${secret:writing/model-api-key}' },
      ],
      logConfiguration: {
        logDriver: 'awslogs',
        options: {
          'awslogs-group': '/writing/${environment}/suggestions',
          'awslogs-region': 'eu-west-1',
          'awslogs-stream-prefix': '${version}',
        },
      },
    },
  ],
};

const TEST = `
const answer = await fetch(process.env.URL + '/version');
const { version } = await answer.json();
if (version !== process.env.VERSION) throw new Error(version + ' serves, not ' + process.env.VERSION);
`;
