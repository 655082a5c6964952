import { BlockList, isIP } from 'node:net';
import type { IncomingMessage } from 'node:http';
import type { RuleCondition } from '@aws-sdk/client-elastic-load-balancing-v2';
import { AwsError } from '../protocol/service.ts';

/** Whether a request meets a condition. */
export type Matcher = (request: IncomingMessage) => boolean;

const MAX_VALUES = 5;
const MAX_LENGTH = 128;

const invalid = (message: string): AwsError => new AwsError('ValidationError', message);

/**
 * Checks a rule's conditions and brings them into the form that AWS answers: the field's own config, and `Values`
 * beside it for hosts and paths.
 * @throws AwsError ValidationError
 */
export function normaliseConditions(conditions: readonly RuleCondition[]): RuleCondition[] {
  if (conditions.length === 0) throw invalid('A condition must be specified');
  const normal = conditions.map(normalise);
  const count = normal.reduce((sum, condition) => sum + valuesOf(condition).length, 0);
  if (count > MAX_VALUES) throw invalid(`A rule can only have '${MAX_VALUES}' condition values`);
  for (const single of ['path-pattern', 'host-header', 'http-request-method', 'source-ip']) {
    if (normal.filter(({ Field }) => Field === single).length > 1) {
      throw invalid(`A rule can only have '1' '${single}' conditions`);
    }
  }
  return normal;
}

function normalise(condition: RuleCondition): RuleCondition {
  const { Field } = condition;
  if (condition.RegexValues || regexOf(condition)) {
    throw invalid(`Regular expressions in the condition '${Field}' are not supported here`);
  }
  const given = { ...condition, ...shorthand(condition) };
  checkField(given);
  const values = valuesOf(given);
  if (values.length === 0) throw invalid(`A value must be specified for the condition '${Field}'`);
  const long = values.find((value) => value.length > MAX_LENGTH);
  if (long !== undefined)
    throw invalid(`Condition value '${long}' contains more than ${MAX_LENGTH} characters`);
  return given;
}

function regexOf(condition: RuleCondition): boolean {
  const { HostHeaderConfig, PathPatternConfig, HttpHeaderConfig } = condition;
  return [HostHeaderConfig, PathPatternConfig, HttpHeaderConfig].some((config) => config?.RegexValues);
}

/** `Values` is a shorter way to write a host's or path's config; each is answered as both. */
function shorthand({ Field, Values, HostHeaderConfig, PathPatternConfig }: RuleCondition): RuleCondition {
  if (Field === 'host-header') {
    const values = HostHeaderConfig?.Values ?? Values ?? [];
    return { Values: values, HostHeaderConfig: { Values: values } };
  }
  if (Field === 'path-pattern') {
    const values = PathPatternConfig?.Values ?? Values ?? [];
    return { Values: values, PathPatternConfig: { Values: values } };
  }
  return {};
}

function checkField(condition: RuleCondition): void {
  const field: string = condition.Field ?? '';
  switch (field) {
    case 'path-pattern':
      for (const path of valuesOf(condition)) {
        if (!/^[\w\-.$/~"'@:+&;()!,*?=%]+$/.test(path))
          throw invalid(`The path pattern '${path}' is not valid`);
      }
      break;
    case 'host-header':
      for (const host of valuesOf(condition)) {
        if (!/^[\w\-.*?]+$/.test(host)) throw invalid(`The host name '${host}' is not valid`);
      }
      break;
    case 'http-header':
      if (!/^[\w!#$%&'*+\-.^`|~]{1,40}$/.test(condition.HttpHeaderConfig?.HttpHeaderName ?? '')) {
        throw invalid('A condition on an HTTP header needs the name of a header');
      }
      break;
    case 'http-request-method':
      for (const method of valuesOf(condition)) {
        if (!/^[A-Z\-_]{1,40}$/.test(method)) throw invalid(`The request method '${method}' is not valid`);
      }
      break;
    case 'source-ip':
      for (const range of valuesOf(condition)) rangeOf(range);
      break;
    case 'query-string':
      break;
    default:
      throw invalid(
        `Condition field '${field}' must be one of '[path-pattern, host-header, http-header, http-request-method, query-string, source-ip]'`,
      );
  }
}

function valuesOf(condition: RuleCondition): readonly string[] {
  const field: string = condition.Field ?? '';
  switch (field) {
    case 'path-pattern':
      return condition.PathPatternConfig?.Values ?? [];
    case 'host-header':
      return condition.HostHeaderConfig?.Values ?? [];
    case 'http-header':
      return condition.HttpHeaderConfig?.Values ?? [];
    case 'http-request-method':
      return condition.HttpRequestMethodConfig?.Values ?? [];
    case 'source-ip':
      return condition.SourceIpConfig?.Values ?? [];
    case 'query-string':
      return (condition.QueryStringConfig?.Values ?? []).map(({ Value }) => Value ?? '');
    default:
      return [];
  }
}

/** A request that meets all of a rule's conditions; one value of each is enough. */
export function compileConditions(conditions: readonly RuleCondition[]): Matcher {
  const matchers = conditions.map(compile);
  return (request) => matchers.every((matches) => matches(request));
}

function compile(condition: RuleCondition): Matcher {
  const field: string = condition.Field ?? '';
  const values = valuesOf(condition);
  switch (field) {
    case 'path-pattern': {
      const patterns = values.map((value) => wildcard(value));
      return (request) => patterns.some((pattern) => pattern.test(pathOf(request)));
    }
    case 'host-header': {
      const patterns = values.map((value) => wildcard(value, 'i'));
      return ({ headers }) => patterns.some((pattern) => pattern.test(hostOf(headers.host)));
    }
    case 'http-header': {
      const name = condition.HttpHeaderConfig?.HttpHeaderName?.toLowerCase() ?? '';
      const patterns = values.map((value) => wildcard(value, 'i'));
      return ({ headers }) =>
        [headers[name] ?? []].flat().some((header) => patterns.some((pattern) => pattern.test(header)));
    }
    case 'http-request-method':
      return ({ method }) => values.includes(method ?? '');
    case 'source-ip': {
      const ranges = values.map(rangeOf);
      return ({ socket }) =>
        ranges.some((range) => range.check(socket.remoteAddress ?? '', familyOf(socket.remoteAddress)));
    }
    default:
      return queryMatcher(condition);
  }
}

function queryMatcher(condition: RuleCondition): Matcher {
  const pairs = (condition.QueryStringConfig?.Values ?? []).map(({ Key, Value }) => ({
    key: Key === undefined ? undefined : wildcard(Key, 'i'),
    value: wildcard(Value ?? '', 'i'),
  }));
  return (request) => {
    const query = [...new URLSearchParams((request.url ?? '').split('?')[1] ?? '')];
    return pairs.some((pair) =>
      query.some(([key, value]) => (pair.key?.test(key) ?? true) && pair.value.test(value)),
    );
  };
}

/** `*` stands for any characters, `?` for one, a backslash takes the next one as it is. */
function wildcard(pattern: string, flags = ''): RegExp {
  const source = pattern.replaceAll(/\\[*?\\]|[\\^$.|?*+()[\]{}]/g, (found) => {
    if (found === '*') return '.*';
    if (found === '?') return '.';
    return found.length === 2 ? found : `\\${found}`;
  });
  return new RegExp(`^${source}$`, `s${flags}`);
}

function rangeOf(cidr: string): BlockList {
  const [address = '', bits] = cidr.split('/');
  const list = new BlockList();
  try {
    list.addSubnet(address, Number(bits), familyOf(address));
  } catch {
    throw invalid(`'${cidr}' is not a valid CIDR block`);
  }
  return list;
}

function familyOf(address: string | undefined): 'ipv4' | 'ipv6' {
  return isIP(address ?? '') === 6 ? 'ipv6' : 'ipv4';
}

function pathOf({ url = '/' }: IncomingMessage): string {
  return url.split('?', 1)[0] ?? '/';
}

function hostOf(host = ''): string {
  return host.replace(/:\d+$/, '');
}
