import type { Action, ForwardActionConfig } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { NestedBlock } from '../plugin/schema.ts';
import { block, blocks, flag, number, required, text } from '../plugin/value.ts';
import type { State } from '../plugin/value.ts';
import { between, oneOf } from './common.ts';

const DEFAULT_STICKINESS_SECONDS = 3600;

/** The block of an action, as listeners and their rules have it. */
export const actionBlock: NestedBlock = {
  nesting: 'list',
  min: 1,
  attributes: {
    type: { type: 'string', required: true, check: oneOf('forward', 'fixed-response', 'redirect') },
    order: { type: 'number', optional: true, check: between(1, 50_000) },
    target_group_arn: { type: 'string', optional: true },
  },
  blocks: {
    forward: {
      nesting: 'list',
      max: 1,
      attributes: {},
      blocks: {
        target_group: {
          nesting: 'set',
          min: 1,
          max: 5,
          attributes: {
            arn: { type: 'string', required: true },
            weight: { type: 'number', optional: true, default: 1, check: between(0, 999) },
          },
        },
        stickiness: {
          nesting: 'list',
          max: 1,
          attributes: {
            enabled: { type: 'bool', optional: true, default: false },
            duration: { type: 'number', required: true, check: between(1, 604_800) },
          },
        },
      },
    },
    fixed_response: {
      nesting: 'list',
      max: 1,
      attributes: {
        content_type: { type: 'string', required: true },
        message_body: { type: 'string', optional: true },
        status_code: { type: 'string', required: true },
      },
    },
    redirect: {
      nesting: 'list',
      max: 1,
      attributes: {
        host: { type: 'string', optional: true, default: '#{host}' },
        path: { type: 'string', optional: true, default: '/#{path}' },
        port: { type: 'string', optional: true, default: '#{port}' },
        protocol: { type: 'string', optional: true, default: '#{protocol}' },
        query: { type: 'string', optional: true, default: '#{query}' },
        status_code: { type: 'string', required: true, check: oneOf('HTTP_301', 'HTTP_302') },
      },
    },
  },
};

/** The actions as the API takes them. */
export function toActions(declared: readonly State[]): Action[] {
  return declared.map((action) => {
    const forward = block(action, 'forward');
    const fixed = block(action, 'fixed_response');
    const redirect = block(action, 'redirect');
    return {
      Type: required(action, 'type') as NonNullable<Action['Type']>,
      Order: number(action, 'order'),
      TargetGroupArn: text(action, 'target_group_arn'),
      ...(forward && { ForwardConfig: toForward(forward) }),
      ...(fixed && {
        FixedResponseConfig: {
          ContentType: text(fixed, 'content_type'),
          MessageBody: text(fixed, 'message_body'),
          StatusCode: required(fixed, 'status_code'),
        },
      }),
      ...(redirect && {
        RedirectConfig: {
          Host: text(redirect, 'host'),
          Path: text(redirect, 'path'),
          Port: text(redirect, 'port'),
          Protocol: text(redirect, 'protocol'),
          Query: text(redirect, 'query'),
          StatusCode: required(redirect, 'status_code') as 'HTTP_301' | 'HTTP_302',
        },
      }),
    };
  });
}

function toForward(forward: State): ForwardActionConfig {
  const sticky = block(forward, 'stickiness');
  return {
    TargetGroups: blocks(forward, 'target_group').map((group) => ({
      TargetGroupArn: required(group, 'arn'),
      Weight: number(group, 'weight'),
    })),
    ...(sticky && {
      TargetGroupStickinessConfig: {
        Enabled: flag(sticky, 'enabled'),
        DurationSeconds: number(sticky, 'duration'),
      },
    }),
  };
}

/**
 * The API's actions as blocks. The API tells a forward to one target group in both of its forms: the state keeps the
 * one that the configuration has.
 */
export function fromActions(live: readonly Action[], declared: readonly State[]): State[] {
  return live.map((action, i) => {
    const before = declared[i] ?? {};
    const asBlock = block(before, 'forward') !== undefined || !isSimple(action);
    return {
      type: action.Type ?? null,
      order: number(before, 'order') === undefined ? null : (action.Order ?? null),
      target_group_arn:
        asBlock && text(before, 'target_group_arn') === undefined ? null : (action.TargetGroupArn ?? null),
      forward:
        asBlock && action.ForwardConfig ? [fromForward(action.ForwardConfig, block(before, 'forward'))] : [],
      fixed_response: action.FixedResponseConfig
        ? [
            {
              content_type: action.FixedResponseConfig.ContentType ?? null,
              message_body: action.FixedResponseConfig.MessageBody ?? null,
              status_code: action.FixedResponseConfig.StatusCode ?? null,
            },
          ]
        : [],
      redirect: action.RedirectConfig
        ? [
            {
              host: action.RedirectConfig.Host ?? null,
              path: action.RedirectConfig.Path ?? null,
              port: action.RedirectConfig.Port ?? null,
              protocol: action.RedirectConfig.Protocol ?? null,
              query: action.RedirectConfig.Query ?? null,
              status_code: action.RedirectConfig.StatusCode ?? null,
            },
          ]
        : [],
    };
  });
}

function isSimple({ ForwardConfig: forward }: Action): boolean {
  return (forward?.TargetGroups ?? []).length <= 1 && forward?.TargetGroupStickinessConfig?.Enabled !== true;
}

function fromForward(live: ForwardActionConfig, before: State | undefined): State {
  const { Enabled = false, DurationSeconds = DEFAULT_STICKINESS_SECONDS } =
    live.TargetGroupStickinessConfig ?? {};
  const declared = before !== undefined && block(before, 'stickiness') !== undefined;
  return {
    target_group: (live.TargetGroups ?? []).map(({ TargetGroupArn, Weight }) => ({
      arn: TargetGroupArn ?? null,
      weight: Weight ?? 1,
    })),
    stickiness: Enabled || declared ? [{ enabled: Enabled, duration: DurationSeconds }] : [],
  };
}
