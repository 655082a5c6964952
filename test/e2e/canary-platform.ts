import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { stringify } from 'yaml';
import { freePorts } from '../../scripts/rehearsal/ports.ts';
import { loadTools } from '../../scripts/tools.ts';
import {
  commitReleases,
  SERVICE_MODULE,
  SHARED_CODE,
  takenFromExample,
  writeFiles,
  type Files,
} from './repository.ts';
import type { SmallPlatform } from './small-platform.ts';

/** `web` asks `api`; both go by canary, in that order. `queue` has no load balancer. */
export type ServiceName = 'api' | 'web' | 'queue';

/** What an environment's policy has of its own, on top of the plainest. */
export interface CanaryEnvironment {
  readonly canary?: Readonly<Record<string, unknown>>;
  readonly rollout?: Readonly<Record<string, unknown>>;
  readonly verification?: Readonly<Record<string, unknown>>;
  readonly desiredCount?: number;
}

export interface CanaryPlatform extends SmallPlatform {
  /** Where a service answers; by default the one that users ask. */
  url(environment: string, service?: ServiceName): string;
  /** As long as this file is there, that suite goes on in that environment. */
  brake(environment: string, suite: 'smoke' | 'check'): string;
}

/** Port by service of an environment. */
type Ports = Readonly<Record<string, number>>;

/**
 * Makes a platform that is cheap to deploy and goes by canary: 50 %, then 100 %, each judged for two seconds. What its
 * environments stand on is made once for all of them, by Terraform and with the example's module; a release brings a
 * configuration of its own, which is small.
 * @param options.env with what leads Terraform to the sandbox
 */
export async function createCanaryPlatform(options: {
  readonly directory: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly services: readonly ServiceName[];
  readonly versions: readonly string[];
  readonly environments: Readonly<Record<string, CanaryEnvironment>>;
}): Promise<CanaryPlatform> {
  const { services, versions, environments, env } = options;
  const directory = join(options.directory, 'canary');
  const repository = join(directory, 'repository');
  await mkdir(join(directory, 'state'), { recursive: true });
  const releases = Object.fromEntries(versions.map((version) => [version, {}]));
  const asked = services.filter((name) => name !== 'queue');
  const ports = await portsOf(Object.keys(environments), asked);
  const [commits] = await Promise.all([
    commitReleases(repository, await filesOf(services), releases),
    buildFoundation(join(directory, 'foundation'), ports, services.includes('queue'), env),
  ]);
  const platformFile = join(directory, 'slipway.yaml');
  const brake = (environment: string, suite: string) => join(directory, `${environment}.${suite}.hold`);
  await writeFile(platformFile, stringify(policy(services, environments, ports, brake)));
  return {
    platformFile,
    repository,
    commits,
    url: (environment, service = asked.at(-1) ?? 'api') =>
      `http://127.0.0.1:${ports[environment]?.[service]}`,
    stateFile: (environment) => join(directory, 'state', `${environment}.tfstate`),
    brake,
  };
}

/** The release whose configuration Terraform has applied last. */
export async function releaseConfigured(
  platform: CanaryPlatform,
  environment: string,
): Promise<string | undefined> {
  const state = JSON.parse(await readFile(platform.stateFile(environment), 'utf8')) as {
    resources: { name: string; instances: { attributes: { output?: { value?: string } } }[] }[];
  };
  const release = state.resources.find(({ name }) => name === 'release');
  return release?.instances[0]?.attributes.output?.value;
}

async function portsOf(
  environments: readonly string[],
  services: readonly string[],
): Promise<Readonly<Record<string, Ports>>> {
  const free = await freePorts(environments.length * services.length);
  return Object.fromEntries(
    environments.map((environment, row) => [
      environment,
      Object.fromEntries(services.map((name, i) => [name, free[row * services.length + i] ?? 0])),
    ]),
  );
}

/** Clusters, load balancers and services, with no task yet. */
async function buildFoundation(
  directory: string,
  environments: Readonly<Record<string, Ports>>,
  queue: boolean,
  env: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  await writeFiles(directory, {
    ...(await takenFromExample(SERVICE_MODULE)),
    'terraform/main.tf': FOUNDATION,
    'terraform/terraform.tfvars.json': JSON.stringify({ environments, queue }),
  });
  const terraform = async (...args: string[]) => {
    const program = loadTools().terraform ?? 'terraform';
    await execa(program, args, { cwd: join(directory, 'terraform'), env, extendEnv: false });
  };
  await terraform('init', '-input=false', '-no-color');
  await terraform('apply', '-input=false', '-no-color', '-auto-approve', '-parallelism=30');
}

async function filesOf(services: readonly ServiceName[]): Promise<Files> {
  const own = services.flatMap((name) => [
    [`services/${name}/server.mjs`, SERVERS[name]] as const,
    [`deploy/${name}.json`, JSON.stringify(taskDefinition(name), undefined, 2)] as const,
  ]);
  return {
    ...(await takenFromExample(SHARED_CODE)),
    ...Object.fromEntries(own),
    'terraform/main.tf': configuration(services),
    'deploy/settings.json': JSON.stringify({ STYLE: 'plain' }),
    'tests/check.mjs': CHECK,
    'tests/smoke.mjs': SMOKE,
  };
}

function policy(
  services: readonly ServiceName[],
  environments: Readonly<Record<string, CanaryEnvironment>>,
  ports: Readonly<Record<string, Ports>>,
  brake: (environment: string, suite: string) => string,
): unknown {
  const last = services.filter((name) => name !== 'queue').at(-1) ?? 'api';
  const suite = (name: string) => ({
    command: ['node', `tests/${name}.mjs`],
    timeout: '3m',
    environment: {
      HOLD: brake('${output:environment}', name),
      URL: `\${output:${last}_url}`,
      VERSION: '${version}',
    },
  });
  return {
    platform: 'writing-platform',
    source: { repository: './repository' },
    services: Object.fromEntries(services.map((name) => [name, serviceOf(name, services)])),
    tests: { smoke: suite('smoke'), check: suite('check') },
    groups: { 'release-managers': ['alice', 'bob'], qa: ['carol'] },
    signals: {
      abort: ['release-managers'],
      hold: ['release-managers', 'qa'],
      resume: ['release-managers', 'qa'],
      promote: ['release-managers'],
      decide: ['release-managers'],
    },
    environments: Object.fromEntries(
      Object.entries(environments).map(([name, own]) => [name, environmentOf(name, own, ports[name] ?? {})]),
    ),
  };
}

function serviceOf(name: ServiceName, services: readonly ServiceName[]): unknown {
  return {
    taskDefinition: `deploy/${name}.json`,
    ...(name === 'web' && services.includes('api') && { dependsOn: ['api'] }),
    ...(name !== 'queue' && { url: `\${output:${name}_url}` }),
  };
}

function environmentOf(name: string, own: CanaryEnvironment, ports: Ports) {
  return {
    account: '000000000000',
    region: 'eu-west-1',
    cluster: `writing-${name}`,
    desiredCount: own.desiredCount ?? 1,
    settings: 'deploy/settings.json',
    terraform: {
      directory: 'terraform',
      backend: { path: `./state/${name}.tfstate` },
      variables: { environment: name, ports: JSON.stringify(ports) },
      allowDestroy: true,
    },
    rollout: {
      timeout: '2m',
      ...own.rollout,
      canary: {
        steps: [50, 100],
        bake: '2s',
        deadMan: '2h',
        smoke: ['smoke'],
        judge: { minimumRequests: 1, maximumErrorRate: 0.05 },
        ...own.canary,
      },
    },
    verification: { tests: ['check'], metrics: { window: '1s' }, ...own.verification },
  };
}

const SERVERS: Readonly<Record<ServiceName, string>> = {
  api: `
import { serve } from '../shared/serve.mjs';
serve('api', () => ({ 'POST /api/suggest': () => ({ body: { from: 'api' } }) }));
`,
  web: `
import { call } from '../shared/call.mjs';
import { serve } from '../shared/serve.mjs';
import { setting } from '../shared/settings.mjs';
serve('web', () => {
  const api = { name: 'api', url: setting('API_URL'), timeout: 5000 };
  return {
    'POST /api/suggest': async ({ body, requestId }) => ({
      body: await call(api, '/api/suggest', body, requestId),
    }),
  };
});
`,
  queue: `
const work = setInterval(() => {}, 1000);
process.on('SIGTERM', () => clearInterval(work));
`,
};

function taskDefinition(name: ServiceName): unknown {
  return {
    family: `writing-\${environment}-${name}`,
    requiresCompatibilities: ['FARGATE'],
    networkMode: 'awsvpc',
    cpu: '256',
    memory: '512',
    executionRoleArn: 'arn:aws:iam::000000000000:role/writing-execution',
    containerDefinitions: [
      {
        name,
        image: '${image}',
        essential: true,
        user: '1000:1000',
        readonlyRootFilesystem: true,
        memoryReservation: 128,
        ...(name !== 'queue' && { portMappings: [{ containerPort: 8080, protocol: 'tcp' }] }),
        ...(name === 'web' && { environment: [{ name: 'API_URL', value: '${output:api_url}' }] }),
        secrets: [{ name: 'STYLE', valueFrom: '${setting:STYLE}' }],
        logConfiguration: {
          logDriver: 'awslogs',
          options: {
            'awslogs-group': `/writing/\${environment}/${name}`,
            'awslogs-region': 'eu-west-1',
            'awslogs-stream-prefix': '${version}',
          },
        },
      },
    ],
  };
}

/** A release's own configuration: it knows the addresses, and has something that each release changes. */
function configuration(services: readonly ServiceName[]): string {
  const outputs = services
    .filter((name) => name !== 'queue')
    .map((name) => `\noutput "${name}_url" {\n  value = "http://127.0.0.1:\${var.ports["${name}"]}"\n}\n`);
  return [TERRAFORM, ...outputs].join('');
}

const TERRAFORM = `
terraform {
  backend "local" {}
}

variable "environment" {
  type = string
}

variable "ports" {
  type = map(number)
}

variable "release_version" {
  type = string
}

resource "terraform_data" "release" {
  input = var.release_version
}

output "environment" {
  value = var.environment
}
`;

const FOUNDATION = `
terraform {
  required_providers {
    aws = {
      source  = "sandbox.local/rehearsal/aws"
      version = "1.0.0"
    }
  }
}

provider "aws" {
  region = "eu-west-1"
}

variable "environments" {
  type = map(map(number))
}

variable "queue" {
  type = bool
}

locals {
  role     = "arn:aws:iam::000000000000:role/writing"
  subnets  = ["subnet-00000000000000001", "subnet-00000000000000002"]
  groups   = ["sg-00000000000000001"]
  services = merge([
    for environment, ports in var.environments : {
      for name, port in ports : "\${environment}-\${name}" => { environment = environment, name = name, port = port }
    }
  ]...)
  queues = var.queue ? toset(keys(var.environments)) : []
}

resource "aws_ecs_cluster" "this" {
  for_each = var.environments
  name     = "writing-\${each.key}"
}

module "service" {
  source   = "./modules/service"
  for_each = local.services

  name                   = each.value.name
  environment            = each.value.environment
  cluster_arn            = aws_ecs_cluster.this[each.value.environment].arn
  listener_port          = each.value.port
  vpc_id                 = "vpc-00000000000000000"
  subnets                = local.subnets
  security_groups        = local.groups
  execution_role_arn     = local.role
  canary                 = true
  load_balancer_role_arn = local.role
}

resource "aws_ecs_task_definition" "queue" {
  for_each                 = local.queues
  family                   = "writing-\${each.key}-queue-bootstrap"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = "256"
  memory                   = "512"
  execution_role_arn       = local.role

  container_definitions = jsonencode([{
    name      = "queue"
    image     = "public.ecr.aws/docker/library/node:24-slim"
    essential = true
  }])
}

resource "aws_ecs_service" "queue" {
  for_each        = local.queues
  name            = "queue"
  cluster         = aws_ecs_cluster.this[each.key].arn
  task_definition = aws_ecs_task_definition.queue[each.key].arn
  desired_count   = 0
  launch_type     = "FARGATE"

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets         = local.subnets
    security_groups = local.groups
  }
}
`;

/** Goes on for as long as the file is there, but not for ever: a test that failed must not leave it behind. */
const WAIT = `
import { existsSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
const until = Date.now() + 150_000;
while (existsSync(process.env.HOLD) && Date.now() < until) await pause(50);
`;

/** Before any traffic: nothing can be asked of the new tasks yet. */
const SMOKE = WAIT;

const CHECK = `${WAIT}
const answer = await fetch(process.env.URL + '/version');
const { version } = await answer.json();
if (version !== process.env.VERSION) throw new Error(version + ' serves, not ' + process.env.VERSION);
`;
