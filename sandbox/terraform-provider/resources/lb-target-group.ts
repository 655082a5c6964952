import type {
  ModifyTargetGroupInput,
  ProtocolEnum,
  TargetGroup,
  TargetTypeEnum,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import type { AwsResource, Session } from '../clients.ts';
import { block, flag, map, number, required, text } from '../plugin/value.ts';
import type { State } from '../plugin/value.ts';
import { between, computed, id, oneOf, tags, unless, until, upperTags } from './common.ts';
import { arnSuffix, attributeOf, changeElbTags, readElbTags } from './elb-tags.ts';

const DELAY = 'deregistration_delay.timeout_seconds';
const DELETION_TIMEOUT_MS = 5 * 60_000;

const delay = (value: unknown): string | undefined =>
  /^\d+$/.test(String(value)) && Number(value) <= 3600 ? undefined : 'expected 0 to 3600 seconds';

export const lbTargetGroup: AwsResource = {
  schema: {
    attributes: {
      name: { type: 'string', required: true, forceNew: true },
      port: { type: 'number', optional: true, forceNew: true, check: between(1, 65_535) },
      protocol: { type: 'string', optional: true, forceNew: true, check: oneOf('HTTP', 'HTTPS', 'TCP') },
      vpc_id: { type: 'string', optional: true, forceNew: true },
      target_type: {
        type: 'string',
        optional: true,
        default: 'instance',
        forceNew: true,
        check: oneOf('instance', 'ip'),
      },
      deregistration_delay: { type: 'string', optional: true, default: '300', check: delay },
      tags,
      id,
      arn: computed,
      arn_suffix: computed,
    },
    blocks: {
      health_check: {
        nesting: 'list',
        max: 1,
        attributes: {
          enabled: { type: 'bool', optional: true, default: true },
          healthy_threshold: { type: 'number', optional: true, default: 3, check: between(2, 10) },
          unhealthy_threshold: { type: 'number', optional: true, default: 3, check: between(2, 10) },
          interval: { type: 'number', optional: true, default: 30, check: between(5, 300) },
          timeout: { type: 'number', optional: true, default: 5, check: between(2, 120) },
          path: { type: 'string', optional: true, default: '/' },
          port: { type: 'string', optional: true, default: 'traffic-port' },
          protocol: { type: 'string', optional: true, default: 'HTTP', check: oneOf('HTTP', 'HTTPS', 'TCP') },
          matcher: { type: 'string', optional: true, default: '200' },
        },
      },
    },
  },
  name: (state) => text(state, 'name') ?? text(state, 'id') ?? '?',
  async create(plan, { clients }) {
    const { TargetGroups } = await (
      await clients.elb()
    ).createTargetGroup({
      Name: required(plan, 'name'),
      Port: number(plan, 'port'),
      Protocol: text(plan, 'protocol') as ProtocolEnum | undefined,
      VpcId: text(plan, 'vpc_id'),
      TargetType: required(plan, 'target_type') as TargetTypeEnum,
      Tags: upperTags(map(plan, 'tags')),
      ...healthCheck(plan),
    });
    const arn = TargetGroups?.[0]?.TargetGroupArn ?? null;
    return { id: arn, arn };
  },
  async finish(state, session) {
    if (text(state, 'deregistration_delay') !== '300') await setDelay(state, session);
  },
  async read(state, { clients }) {
    const elb = await clients.elb();
    const arn = required(state, 'id');
    const found = await unless(
      ['TargetGroupNotFoundException'],
      elb.describeTargetGroups({ TargetGroupArns: [arn] }),
    );
    const live = found?.TargetGroups?.[0];
    if (live === undefined) return undefined;
    const { Attributes } = await elb.describeTargetGroupAttributes({ TargetGroupArn: arn });
    return {
      ...state,
      id: arn,
      arn,
      name: live.TargetGroupName ?? null,
      port: live.Port ?? null,
      protocol: live.Protocol ?? null,
      vpc_id: live.VpcId ?? null,
      target_type: live.TargetType ?? null,
      deregistration_delay: attributeOf(Attributes, DELAY) ?? '300',
      // A configuration without the block leaves the checks to AWS's defaults.
      health_check:
        block(state, 'health_check') === undefined && text(state, 'name') ? [] : [liveHealthCheck(live)],
      tags: await readElbTags(elb, arn),
      arn_suffix: arnSuffix(arn),
    };
  },
  async update(prior, plan, session) {
    const elb = await session.clients.elb();
    const arn = required(prior, 'id');
    const wanted = healthCheck(plan);
    if (wanted !== undefined && JSON.stringify(wanted) !== JSON.stringify(healthCheck(prior))) {
      await elb.modifyTargetGroup({ TargetGroupArn: arn, ...wanted });
    }
    if (text(plan, 'deregistration_delay') !== text(prior, 'deregistration_delay'))
      await setDelay(plan, session);
    await changeElbTags(elb, arn, map(prior, 'tags'), map(plan, 'tags'));
  },
  async delete(state, { clients, signal }) {
    const elb = await clients.elb();
    const TargetGroupArn = required(state, 'id');
    // A listener that was just deleted may still be seen to use it.
    await until(
      `${TargetGroupArn} to be unused`,
      signal,
      () => unless(['ResourceInUseException'], elb.deleteTargetGroup({ TargetGroupArn })),
      { timeoutMs: DELETION_TIMEOUT_MS },
    );
  },
  import: (arn) => ({ id: arn }),
};

function healthCheck(state: State): Omit<ModifyTargetGroupInput, 'TargetGroupArn'> | undefined {
  const check = block(state, 'health_check');
  if (check === undefined) return undefined;
  const protocol = required(check, 'protocol') as ProtocolEnum;
  return {
    HealthCheckEnabled: flag(check, 'enabled'),
    HealthyThresholdCount: number(check, 'healthy_threshold'),
    UnhealthyThresholdCount: number(check, 'unhealthy_threshold'),
    HealthCheckIntervalSeconds: number(check, 'interval'),
    HealthCheckTimeoutSeconds: number(check, 'timeout'),
    HealthCheckPort: text(check, 'port'),
    HealthCheckProtocol: protocol,
    ...(protocol !== 'TCP' && {
      HealthCheckPath: text(check, 'path'),
      Matcher: { HttpCode: text(check, 'matcher') },
    }),
  };
}

function liveHealthCheck(live: TargetGroup): State {
  return {
    enabled: live.HealthCheckEnabled ?? true,
    healthy_threshold: live.HealthyThresholdCount ?? null,
    unhealthy_threshold: live.UnhealthyThresholdCount ?? null,
    interval: live.HealthCheckIntervalSeconds ?? null,
    timeout: live.HealthCheckTimeoutSeconds ?? null,
    path: live.HealthCheckPath ?? null,
    port: live.HealthCheckPort ?? null,
    protocol: live.HealthCheckProtocol ?? null,
    matcher: live.Matcher?.HttpCode ?? null,
  };
}

async function setDelay(state: State, { clients }: Session): Promise<void> {
  const Attributes = [{ Key: DELAY, Value: required(state, 'deregistration_delay') }];
  await (
    await clients.elb()
  ).modifyTargetGroupAttributes({ TargetGroupArn: required(state, 'id'), Attributes });
}
