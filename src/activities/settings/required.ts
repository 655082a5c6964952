import { DescribeSecretCommand, ResourceNotFoundException } from '@aws-sdk/client-secrets-manager';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { SSMClient } from '@aws-sdk/client-ssm';
import type { Check } from '../../domain/verdict.ts';
import { readParameters } from './parameters.ts';

/** One check per name, in the order of `names`. Values are not looked at. */
export async function checkParameters(ssm: SSMClient, names: readonly string[]): Promise<Check[]> {
  const present = await readParameters(ssm, [...new Set(names)]);
  return names.map((name) => {
    const parameter = present.get(name);
    return parameter
      ? { name: `parameter ${name}`, passed: true, detail: `version ${parameter.Version ?? 1}` }
      : {
          name: `parameter ${name}`,
          passed: false,
          detail: `There is no SSM parameter ${name}. Make it: \`aws ssm put-parameter --name ${name} --type String --value ...\``,
        };
  });
}

/** One check per name, in the order of `names`: the secret is there, is not being deleted, and has a value. */
export async function checkSecrets(
  secrets: SecretsManagerClient,
  names: readonly string[],
): Promise<Check[]> {
  return Promise.all(
    names.map(async (name) => ({ name: `secret ${name}`, ...(await judgeSecret(secrets, name)) })),
  );
}

async function judgeSecret(secrets: SecretsManagerClient, name: string): Promise<Omit<Check, 'name'>> {
  const id = `--secret-id ${name}`;
  try {
    const { DeletedDate, VersionIdsToStages = {} } = await secrets.send(
      new DescribeSecretCommand({ SecretId: name }),
    );
    if (DeletedDate) {
      return {
        passed: false,
        detail: `The secret ${name} is going to be deleted. Keep it: \`aws secretsmanager restore-secret ${id}\``,
      };
    }
    const current = Object.keys(VersionIdsToStages).find((version) =>
      VersionIdsToStages[version]?.includes('AWSCURRENT'),
    );
    return current === undefined
      ? {
          passed: false,
          detail: `The secret ${name} has no value. Give it one: \`aws secretsmanager put-secret-value ${id} --secret-string ...\``,
        }
      : { passed: true, detail: `version ${current}` };
  } catch (error) {
    if (!(error instanceof ResourceNotFoundException)) throw error;
    return {
      passed: false,
      detail: `There is no secret ${name}. Make it: \`aws secretsmanager create-secret --name ${name} --secret-string ...\``,
    };
  }
}
