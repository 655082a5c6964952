import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import {
  CreateSecretCommand,
  ResourceExistsException,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { ParameterAlreadyExists, PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { endpointConfiguration } from './endpoint.ts';

/** What slipway.yaml requires of each account. */
export const SUPPORT_CONTACT = '/writing/support-contact';
export const MODEL_API_KEY = 'writing/model-api-key';

/**
 * Puts into an account what people keep there and no release brings: whom writers may ask for help, and the key of the model.
 * What is there already stays as it is.
 * @param options.endpoint address that serves AWS's APIs; default: AWS by its SDK's own configuration
 * @returns the names of what was made
 */
export async function prepareAccount(options: { endpoint?: string } = {}): Promise<string[]> {
  const configuration = endpointConfiguration(options.endpoint);
  const ssm = new SSMClient(configuration);
  const secrets = new SecretsManagerClient(configuration);
  try {
    const made = [await putContact(ssm), await createKey(secrets)];
    return made.flat();
  } finally {
    ssm.destroy();
    secrets.destroy();
  }
}

async function putContact(ssm: SSMClient): Promise<string[]> {
  const Description = 'Whom writers may ask for help';
  const parameter = {
    Name: SUPPORT_CONTACT,
    Value: 'help@example.com',
    Type: 'String',
    Description,
  } as const;
  try {
    await ssm.send(new PutParameterCommand(parameter));
    return [SUPPORT_CONTACT];
  } catch (error) {
    if (error instanceof ParameterAlreadyExists) return [];
    throw error;
  }
}

async function createKey(secrets: SecretsManagerClient): Promise<string[]> {
  const secret = {
    Name: MODEL_API_KEY,
    SecretString: randomBytes(24).toString('base64url'),
    Description: 'Key with which the model gateway signs its answers',
  };
  try {
    await secrets.send(new CreateSecretCommand(secret));
    return [MODEL_API_KEY];
  } catch (error) {
    if (error instanceof ResourceExistsException) return [];
    throw error;
  }
}

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({ options: { endpoint: { type: 'string' } } });
  const made = await prepareAccount(values.endpoint === undefined ? {} : { endpoint: values.endpoint });
  for (const name of [SUPPORT_CONTACT, MODEL_API_KEY]) {
    console.log(`${name} ${made.includes(name) ? 'made' : 'was there already'}`);
  }
}
