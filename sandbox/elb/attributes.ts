import { AwsError } from '../protocol/service.ts';

/** A resource's attributes: each has a value from the start, and a rule for others. */
type Catalogue = Readonly<Record<string, { readonly initial: string; readonly allowed: Rule }>>;

interface Rule {
  readonly words: string;
  passes(value: string): boolean;
}

const within = (low: number, high: number, unit = ' seconds'): Rule => ({
  words: `a whole number from ${low} to ${high}${unit}`,
  passes: (value) => /^\d+$/.test(value) && Number(value) >= low && Number(value) <= high,
});

const oneOf = (...values: string[]): Rule => ({
  words: `one of [${values.join(', ')}]`,
  passes: (value) => values.includes(value),
});

const BOOLEAN = oneOf('true', 'false');

/** What AWS knows and the sandbox has no use for can only stay as it is. */
const fixed = (initial: string): { initial: string; allowed: Rule } => ({
  initial,
  allowed: { words: `'${initial}' here: the sandbox has nothing else`, passes: (value) => value === initial },
});

export const LOAD_BALANCER_ATTRIBUTES: Catalogue = {
  'idle_timeout.timeout_seconds': { initial: '60', allowed: within(1, 4000) },
  'deletion_protection.enabled': { initial: 'false', allowed: BOOLEAN },
  'routing.http.xff_header_processing.mode': {
    initial: 'append',
    allowed: oneOf('append', 'preserve', 'remove'),
  },
  'routing.http.xff_client_port.enabled': { initial: 'false', allowed: BOOLEAN },
  'routing.http.drop_invalid_header_fields.enabled': fixed('false'),
  'routing.http.preserve_host_header.enabled': fixed('true'),
  'routing.http2.enabled': fixed('true'),
  'access_logs.s3.enabled': fixed('false'),
  'connection_logs.s3.enabled': fixed('false'),
  'load_balancing.cross_zone.enabled': fixed('true'),
};

export const LISTENER_ATTRIBUTES: Catalogue = {
  'routing.http.response.server.enabled': { initial: 'true', allowed: BOOLEAN },
};

export const TARGET_GROUP_ATTRIBUTES: Catalogue = {
  'deregistration_delay.timeout_seconds': { initial: '300', allowed: within(0, 3600) },
  'stickiness.enabled': { initial: 'false', allowed: BOOLEAN },
  'stickiness.type': fixed('lb_cookie'),
  'stickiness.lb_cookie.duration_seconds': { initial: '86400', allowed: within(1, 604_800) },
  'load_balancing.algorithm.type': {
    initial: 'round_robin',
    allowed: oneOf('round_robin', 'least_outstanding_requests'),
  },
  'load_balancing.algorithm.anomaly_mitigation': fixed('off'),
  'load_balancing.cross_zone.enabled': fixed('use_load_balancer_configuration'),
  'slow_start.duration_seconds': fixed('0'),
  'target_group_health.dns_failover.minimum_healthy_targets.count': fixed('1'),
  'target_group_health.dns_failover.minimum_healthy_targets.percentage': fixed('off'),
  'target_group_health.unhealthy_state_routing.minimum_healthy_targets.count': fixed('1'),
  'target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage': fixed('off'),
};

interface Attribute {
  readonly Key?: string | undefined;
  readonly Value?: string | undefined;
}

export function initialAttributes(catalogue: Catalogue): Record<string, string> {
  return Object.fromEntries(Object.entries(catalogue).map(([key, { initial }]) => [key, initial]));
}

/** @throws AwsError ValidationError for an unknown key, InvalidConfigurationRequestException for a value that it doesn't take */
export function changedAttributes(
  catalogue: Catalogue,
  before: Readonly<Record<string, string>>,
  changes: readonly Attribute[],
): Record<string, string> {
  const after = { ...before };
  for (const { Key = '', Value = '' } of changes) {
    const known = Object.hasOwn(catalogue, Key) ? catalogue[Key] : undefined;
    if (!known) throw new AwsError('ValidationError', `Attribute key '${Key}' is not recognized`);
    if (!known.allowed.passes(Value)) {
      throw new AwsError(
        'InvalidConfigurationRequestException',
        `The value '${Value}' of the attribute '${Key}' must be ${known.allowed.words}`,
      );
    }
    after[Key] = Value;
  }
  return after;
}

export function attributeList(attributes: Readonly<Record<string, string>>): Attribute[] {
  return Object.entries(attributes).map(([Key, Value]) => ({ Key, Value }));
}
