import type { RuleCondition } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { NestedBlock } from '../plugin/schema.ts';
import { block, required, texts } from '../plugin/value.ts';
import type { State } from '../plugin/value.ts';

const values: NestedBlock = {
  nesting: 'list',
  max: 1,
  attributes: { values: { type: ['set', 'string'], required: true } },
};

/** The block of a rule's condition. */
export const conditionBlock: NestedBlock = {
  nesting: 'set',
  min: 1,
  attributes: {},
  blocks: {
    host_header: values,
    path_pattern: values,
    http_request_method: values,
    source_ip: values,
    http_header: {
      nesting: 'list',
      max: 1,
      attributes: {
        http_header_name: { type: 'string', required: true },
        values: { type: ['set', 'string'], required: true },
      },
    },
  },
};

export function toConditions(declared: readonly State[]): RuleCondition[] {
  return declared.flatMap((condition): RuleCondition[] => {
    const given = (name: string): { Values: string[] } | undefined => {
      const inner = block(condition, name);
      return inner && { Values: texts(inner, 'values') ?? [] };
    };
    const host = given('host_header');
    const path = given('path_pattern');
    const method = given('http_request_method');
    const source = given('source_ip');
    const header = block(condition, 'http_header');
    return [
      ...(host ? [{ Field: 'host-header', HostHeaderConfig: host }] : []),
      ...(path ? [{ Field: 'path-pattern', PathPatternConfig: path }] : []),
      ...(method ? [{ Field: 'http-request-method', HttpRequestMethodConfig: method }] : []),
      ...(source ? [{ Field: 'source-ip', SourceIpConfig: source }] : []),
      ...(header
        ? [
            {
              Field: 'http-header',
              HttpHeaderConfig: {
                HttpHeaderName: required(header, 'http_header_name'),
                Values: texts(header, 'values') ?? [],
              },
            },
          ]
        : []),
    ];
  });
}

export function fromConditions(live: readonly RuleCondition[]): State[] {
  return live.map((condition) => {
    const only = (found: { Values?: string[] | undefined } | undefined): State[] =>
      found ? [{ values: found.Values ?? condition.Values ?? [] }] : [];
    return {
      host_header: only(condition.HostHeaderConfig),
      path_pattern: only(condition.PathPatternConfig),
      http_request_method: only(condition.HttpRequestMethodConfig),
      source_ip: only(condition.SourceIpConfig),
      http_header: condition.HttpHeaderConfig
        ? [
            {
              http_header_name: condition.HttpHeaderConfig.HttpHeaderName ?? null,
              values: condition.HttpHeaderConfig.Values ?? [],
            },
          ]
        : [],
    };
  });
}
