import { deadManMinutes } from '../domain/dead-man.ts';
import { digestOf } from '../domain/digest.ts';
import type {
  ApprovalPolicy,
  CanaryPolicy,
  EnvironmentPolicy,
  MetricPolicy,
  MigrationPolicy,
  PipelinePolicy,
  RegistryPolicy,
  RolloutPolicy,
  ServicePolicy,
  SignalPolicy,
  TestSuite,
  VerificationPolicy,
} from '../domain/policy.ts';
import { waves } from '../domain/waves.ts';
import { canaryServices, canaryTimes, type CanaryFile } from './canary.ts';
import type { Platform } from './load.ts';
import type { EnvironmentFile } from './schema.ts';
import { closest } from './suggest.ts';

/** An environment that the platform does not have. */
export class UnknownEnvironment extends Error {
  override readonly name = 'UnknownEnvironment';
}

/**
 * All that one environment's run needs, with its digest.
 * @throws UnknownEnvironment naming those there are
 */
export function environmentPolicy(platform: Platform, name: string): EnvironmentPolicy {
  const environment = environmentOf(platform, name);
  const policy: Omit<EnvironmentPolicy, 'digest'> = {
    target: {
      platform: platform.platform,
      environment: name,
      account: environment.account,
      region: environment.region,
      ...(environment.role !== undefined && { role: environment.role }),
      cluster: environment.cluster,
    },
    services: servicesOf(platform, environment),
    registry: registryOf(platform),
    ...(environment.terraform && { terraform: environment.terraform }),
    ...(environment.settings !== undefined && { settings: environment.settings }),
    requiredParameters: environment.required.parameters,
    requiredSecrets: environment.required.secrets,
    ...(platform.migration && { migration: migrationOf(platform.migration) }),
    ...(environment.approval && { approval: approvalOf(platform, environment.approval) }),
    signals: signalsOf(platform, environment),
    rollout: rolloutOf(platform, environment),
    verification: verificationOf(platform, environment.verification),
    keepReleases: environment.keepReleases,
  };
  return { ...policy, digest: digestOf(policy) };
}

/**
 * What the pipeline needs: the environments up to `through`, or all.
 * @throws UnknownEnvironment naming those there are
 */
export function pipelinePolicy(platform: Platform, through?: string): PipelinePolicy {
  const all = Object.keys(platform.environments);
  if (through !== undefined) environmentOf(platform, through);
  const environments = through === undefined ? all : all.slice(0, all.indexOf(through) + 1);
  return {
    platform: platform.platform,
    environments,
    approvals: environments.filter((name) => platform.environments[name]?.approval !== undefined),
    registry: registryOf(platform),
    services: inDependencyOrder(platform).map(({ name, repository }) => ({
      name,
      repository: repository ?? `${platform.platform}/${name}`,
    })),
  };
}

function environmentOf(platform: Platform, name: string): EnvironmentFile {
  const known = Object.keys(platform.environments);
  const environment = Object.hasOwn(platform.environments, name) ? platform.environments[name] : undefined;
  if (environment) return environment;
  const meant = closest(name, known);
  const hint = meant ? ` (did you mean ${meant}?)` : '';
  throw new UnknownEnvironment(
    `environment: found ${JSON.stringify(name)}; allowed: the environments of the platform ${platform.platform}, ${known.join(', ')}${hint}`,
  );
}

function inDependencyOrder(platform: Platform) {
  const services = Object.entries(platform.services).map(([name, service]) => ({ ...service, name }));
  const ordered = waves(services);
  // A cycle is a problem of the file, told when it was loaded.
  return ordered.kind === 'ordered' ? ordered.waves.flat() : services;
}

function servicesOf(platform: Platform, { desiredCount }: EnvironmentFile): ServicePolicy[] {
  return inDependencyOrder(platform).map((service) => ({
    name: service.name,
    ecsService: service.ecsService ?? service.name,
    repository: service.repository ?? `${platform.platform}/${service.name}`,
    container: service.container ?? service.name,
    taskDefinition: service.taskDefinition,
    dependsOn: service.dependsOn,
    desiredCount: typeof desiredCount === 'number' ? desiredCount : (desiredCount[service.name] ?? 1),
    ...(service.url !== undefined && { url: service.url }),
    versionPath: service.versionPath,
  }));
}

function registryOf(platform: Platform): RegistryPolicy {
  const first = Object.values(platform.environments)[0];
  const account = platform.registry.account ?? first?.account ?? '';
  const region = platform.registry.region ?? first?.region ?? '';
  const { scanGate } = platform.registry;
  return {
    host: platform.registry.host ?? ecrHost(account, region),
    account,
    region,
    ...(scanGate && { scanGate }),
  };
}

/** https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html; the China partition has a domain of its own. */
function ecrHost(account: string, region: string): string {
  return `${account}.dkr.ecr.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`;
}

function migrationOf({
  service,
  command,
  undo,
  timeout,
}: NonNullable<Platform['migration']>): MigrationPolicy {
  return { service, command, ...(undo && { undo }), timeoutSeconds: timeout };
}

function approvalOf(platform: Platform, approval: NonNullable<EnvironmentFile['approval']>): ApprovalPolicy {
  return {
    required: approval.required,
    groups: Object.fromEntries(
      Object.keys(approval.required).map((group) => [group, platform.groups[group] ?? []]),
    ),
    starterMayApprove: approval.starterMayApprove,
    evidenceRequired: approval.evidenceRequired,
    expiresAfterSeconds: approval.expiresAfter,
    ...(approval.remindEvery !== undefined && { remindEverySeconds: approval.remindEvery }),
  };
}

/** The manual test's group is the one that may record its result. */
function signalsOf(platform: Platform, { verification }: EnvironmentFile): SignalPolicy {
  const tester = verification.manualTest?.group;
  return {
    groups: platform.groups,
    allowed: { ...platform.signals, ...(tester !== undefined && { recordManualTest: [tester] }) },
  };
}

function rolloutOf(platform: Platform, environment: EnvironmentFile): RolloutPolicy {
  const { timeout, minimumHealthyPercent, maximumPercent, allowedTaskDeaths, alarms } = environment.rollout;
  const canary = canaryOf(platform, environment);
  return {
    timeoutSeconds: timeout,
    minimumHealthyPercent,
    maximumPercent,
    allowedTaskDeaths,
    alarms,
    ...(canary && { canary }),
  };
}

function canaryOf(platform: Platform, environment: EnvironmentFile): CanaryPolicy | undefined {
  const { canary } = environment.rollout;
  const times = canaryTimes(platform, environment);
  if (canary === undefined || times === undefined) return undefined;
  const { minimumRequests, maximumErrorRate, maximumErrorRateIncrease, latency } = canary.judge;
  return {
    services: canaryServices(platform, canary),
    steps: canary.steps,
    bakeSeconds: canary.bake,
    deadMan: deadManMinutes(times),
    judge: {
      minimumRequests,
      ...(maximumErrorRate !== undefined && { maximumErrorRate }),
      ...(maximumErrorRateIncrease !== undefined && { maximumErrorRateIncrease }),
      ...(latency && { latency: latencyOf(latency) }),
    },
    onInconclusive: canary.onInconclusive,
    smoke: canary.smoke.flatMap((name) => suiteOf(platform, name)),
  };
}

function latencyOf({
  threshold,
  ...shares
}: NonNullable<CanaryFile['judge']['latency']>): NonNullable<CanaryPolicy['judge']['latency']> {
  return { thresholdSeconds: threshold, ...shares };
}

function verificationOf(
  platform: Platform,
  { tests, metrics, manualTest, soak }: EnvironmentFile['verification'],
): VerificationPolicy {
  return {
    metrics: metricsOf(metrics),
    tests: tests.flatMap((name) => suiteOf(platform, name)),
    ...(manualTest && {
      manualTest: {
        ...(manualTest.group !== undefined && { group: manualTest.group }),
        instructions: manualTest.instructions,
        expiresAfterSeconds: manualTest.expiresAfter,
      },
    }),
    soakSeconds: soak,
  };
}

function metricsOf({
  window,
  latency,
  ...thresholds
}: EnvironmentFile['verification']['metrics']): MetricPolicy {
  return {
    windowSeconds: window,
    ...thresholds,
    ...(latency && { latency: { thresholdSeconds: latency.threshold, minimumShare: latency.minimumShare } }),
  };
}

function suiteOf(platform: Platform, name: string): TestSuite[] {
  const suite = platform.tests[name];
  return suite
    ? [{ name, command: suite.command, timeoutSeconds: suite.timeout, environment: suite.environment }]
    : [];
}
