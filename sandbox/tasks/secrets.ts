import type { GetSecretValueCommandOutput } from '@aws-sdk/client-secrets-manager';
import type { ParameterReader } from '../ssm/ssm.ts';
import type { RequestContext, ServiceDefinition } from '../protocol/service.ts';
import type { SecretReader } from './environment.ts';

export interface SecretSources {
  readonly parameters: ParameterReader;
  /** The sandbox's services; asked for a secret's value when a task starts. */
  readonly services: readonly ServiceDefinition[];
  readonly accountId: string;
  readonly region: string;
}

/** Reads what containers' secrets refer to from Parameter Store and Secrets Manager. */
export function createSecretReader(sources: SecretSources): SecretReader {
  return async (valueFrom) => {
    if (valueFrom.startsWith('arn:aws:secretsmanager:')) return secretValue(sources, valueFrom);
    const value = sources.parameters.value(valueFrom, sources);
    if (value === undefined) throw new Error('ParameterNotFound: the parameter does not exist');
    return value;
  };
}

/** `arn:aws:secretsmanager:region:account:secret:name[:json-key[:version-stage[:version-id]]]`. */
async function secretValue(sources: SecretSources, valueFrom: string): Promise<string> {
  const parts = valueFrom.split(':');
  const [jsonKey = '', stage = '', versionId = ''] = parts.slice(7);
  const input = {
    SecretId: parts.slice(0, 7).join(':'),
    ...(stage === '' ? {} : { VersionStage: stage }),
    ...(versionId === '' ? {} : { VersionId: versionId }),
  };
  const read = sources.services.find(({ model }) => model === 'secretsmanager')?.operations['GetSecretValue'];
  if (!read) throw new Error('There is no Secrets Manager here');
  const request: RequestContext = { ...sources, requestId: crypto.randomUUID() };
  const { SecretString: text } = (await read(input as never, request)) as GetSecretValueCommandOutput;
  if (text === undefined) throw new Error('the secret holds binary data, which a container can not be given');
  return jsonKey === '' ? text : fieldOf(text, jsonKey);
}

function fieldOf(text: string, key: string): string {
  const fields = JSON.parse(text) as Record<string, unknown>;
  if (!(key in fields)) throw new Error(`retrieved secret did not contain json key ${key}`);
  const field = fields[key];
  return typeof field === 'string' ? field : JSON.stringify(field);
}
