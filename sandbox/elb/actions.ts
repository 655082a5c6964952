import type {
  Action,
  FixedResponseActionConfig,
  ForwardActionConfig,
  RedirectActionConfig,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { AwsError } from '../protocol/service.ts';
import { groupsOf, targetGroupOf, usersOf } from './records.ts';
import type { ElbTables } from './records.ts';

const MAX_GROUPS = 5;
const MAX_WEIGHT = 999;
const MAX_STICKY_SECONDS = 604_800;
const CONTENT_TYPES = ['text/plain', 'text/css', 'text/html', 'application/javascript', 'application/json'];

const invalid = (message: string): AwsError => new AwsError('ValidationError', message);

/**
 * Checks the actions of a rule or a listener and brings them into the form that AWS answers.
 * @param loadBalancerArn whose listener they are for: a target group belongs to one load balancer at most
 * @throws AwsError ValidationError, InvalidLoadBalancerActionException, TargetGroupNotFoundException, ...
 */
export function normaliseActions(
  tables: ElbTables,
  loadBalancerArn: string,
  actions: readonly Action[],
): Action[] {
  const [action, ...more] = actions;
  if (!action) throw invalid('An action must be specified');
  if (more.length > 0) {
    throw new AwsError('TooManyActionsException', 'One action a rule is supported here: no authentication.');
  }
  const normal = normalise(action);
  for (const arn of groupsOf([normal])) checkGroup(tables, loadBalancerArn, arn);
  return [normal];
}

function normalise(action: Action): Action {
  const order = { Order: action.Order ?? 1 };
  const type: string = action.Type ?? '';
  switch (type) {
    case 'forward':
      return { Type: 'forward', ...order, ...forwardOf(action) };
    case 'fixed-response':
      return { Type: 'fixed-response', ...order, FixedResponseConfig: fixedOf(action.FixedResponseConfig) };
    case 'redirect':
      return { Type: 'redirect', ...order, RedirectConfig: redirectOf(action.RedirectConfig) };
    default:
      throw new AwsError(
        'InvalidLoadBalancerActionException',
        `Actions of type '${type}' are not supported here`,
      );
  }
}

function forwardOf({ TargetGroupArn, ForwardConfig }: Action): Omit<Action, 'Type'> {
  const groups = ForwardConfig?.TargetGroups ?? (TargetGroupArn === undefined ? [] : [{ TargetGroupArn }]);
  const arns = groups.flatMap((group) => group.TargetGroupArn ?? []);
  if (groups.length === 0) throw invalid('A target group must be specified for an action of type forward');
  if (arns.length < groups.length) throw invalid('A target group ARN must be specified');
  if (groups.length > MAX_GROUPS)
    throw invalid(`An action can forward to ${MAX_GROUPS} target groups at most`);
  if (new Set(arns).size < arns.length) throw invalid('Target groups in an action must be unique');
  if (TargetGroupArn !== undefined && (arns.length > 1 || arns[0] !== TargetGroupArn)) {
    throw new AwsError(
      'InvalidLoadBalancerActionException',
      'TargetGroupArn and ForwardConfig must name the same single target group',
    );
  }
  for (const { Weight = 1 } of groups) {
    if (Weight < 0 || Weight > MAX_WEIGHT) {
      throw invalid(`Weight '${Weight}' must be between 0 and ${MAX_WEIGHT}`);
    }
  }
  const config: ForwardActionConfig = {
    TargetGroups: groups.map((group) => ({
      TargetGroupArn: group.TargetGroupArn,
      Weight: group.Weight ?? 1,
    })),
    TargetGroupStickinessConfig: stickinessOf(ForwardConfig?.TargetGroupStickinessConfig),
  };
  return arns.length === 1 ? { TargetGroupArn: arns[0], ForwardConfig: config } : { ForwardConfig: config };
}

function stickinessOf(
  config: ForwardActionConfig['TargetGroupStickinessConfig'],
): NonNullable<ForwardActionConfig['TargetGroupStickinessConfig']> {
  if (config?.Enabled !== true) return { Enabled: false };
  const seconds = config.DurationSeconds ?? 0;
  if (seconds < 1 || seconds > MAX_STICKY_SECONDS) {
    throw invalid(`Target group stickiness duration must be between 1 and ${MAX_STICKY_SECONDS} seconds`);
  }
  return { Enabled: true, DurationSeconds: seconds };
}

function fixedOf(config: FixedResponseActionConfig | undefined): FixedResponseActionConfig {
  if (config?.StatusCode === undefined) throw invalid('A fixed response needs a status code');
  if (config.ContentType !== undefined && !CONTENT_TYPES.includes(config.ContentType)) {
    throw invalid(`Content type '${config.ContentType}' must be one of [${CONTENT_TYPES.join(', ')}]`);
  }
  return config;
}

function redirectOf(config: RedirectActionConfig | undefined): RedirectActionConfig {
  if (config?.StatusCode === undefined) throw invalid('A redirect needs a status code');
  const {
    Protocol = '#{protocol}',
    Host = '#{host}',
    Port = '#{port}',
    Path = '/#{path}',
    Query = '#{query}',
  } = config;
  if ([Protocol, Host, Port, Path].join() === '#{protocol},#{host},#{port},/#{path}') {
    throw new AwsError(
      'InvalidLoadBalancerActionException',
      'The redirect would lead to itself: change the protocol, host, port or path',
    );
  }
  return { Protocol, Host, Port, Path, Query, StatusCode: config.StatusCode };
}

function checkGroup(tables: ElbTables, loadBalancerArn: string, arn: string): void {
  targetGroupOf(tables, arn);
  if (usersOf(tables, arn).some((user) => user !== loadBalancerArn)) {
    throw new AwsError(
      'TargetGroupAssociationLimitException',
      `The following target groups cannot be associated with more than one load balancer: ${arn}`,
    );
  }
}
