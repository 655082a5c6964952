import { PutParameterCommand } from '@aws-sdk/client-ssm';
import { digestOf } from '../../domain/digest.ts';
import type { AwsClients } from '../aws.ts';
import { withNamedAwsErrors } from '../aws-errors.ts';
import type { AssertHolder } from '../lock.ts';
import type { SourceReader } from '../source/reader.ts';
import { parseSettings } from './file.ts';
import type { Settings } from './file.ts';
import { assertSettings, settingName, statusName } from './names.ts';
import { deleteParameters, readParameters, writeOnce } from './parameters.ts';
import { checkParameters, checkSecrets } from './required.ts';
import type { SettingsActivities, SettingsInput } from './types.ts';

export interface SettingsActivityDependencies {
  readonly aws: Pick<AwsClients, 'clientsFor'>;
  readonly source: Pick<SourceReader, 'readFile'>;
  readonly assertHolder: AssertHolder;
}

/** Settings in SSM, and what must be in SSM and Secrets Manager. What AWS refuses is a non-retryable failure named after AWS's error. */
export function createSettingsActivities({
  aws,
  source,
  assertHolder,
}: SettingsActivityDependencies): SettingsActivities {
  const read = async ({ file, release }: SettingsInput): Promise<Settings> =>
    file === undefined ? [] : parseSettings(await source.readFile(release.commit, file), file);

  return withNamedAwsErrors<SettingsActivities>({
    async planSettings(input) {
      const { target, release } = input;
      return (await read(input)).map(({ key, value }) => ({
        key,
        parameter: settingName(target, release.version, key),
        value: digestOf(value),
      }));
    },

    async checkRequired({ target, parameters, secrets: names }) {
      const { ssm, secrets } = aws.clientsFor(target);
      const checks = await Promise.all([checkParameters(ssm, parameters), checkSecrets(secrets, names)]);
      return checks.flat();
    },

    async existingSettings({ target, names }) {
      const present = await readParameters(aws.clientsFor(target).ssm, names);
      return names.filter((name) => present.has(name));
    },

    async writeSettings(input) {
      const { target, release, lock } = input;
      const wanted = (await read(input)).map(({ key, value }) => ({
        name: settingName(target, release.version, key),
        value,
      }));
      const tags = [
        { Key: 'slipway:platform', Value: target.platform },
        { Key: 'slipway:environment', Value: target.environment },
        { Key: 'slipway:version', Value: release.version },
      ];
      await writeOnce(aws.clientsFor(target).ssm, wanted, tags, () => assertHolder(lock));
      return wanted.map(({ name }) => name);
    },

    async deleteSettings({ target, names, lock }) {
      assertSettings(target, names);
      return deleteParameters(aws.clientsFor(target).ssm, names, () => assertHolder(lock));
    },

    async writeStatus({ target, status, lock }) {
      await assertHolder(lock);
      await aws.clientsFor(target).ssm.send(
        new PutParameterCommand({
          Name: statusName(target),
          Value: JSON.stringify(status),
          Type: 'String',
          Overwrite: true,
        }),
      );
    },
  });
}
