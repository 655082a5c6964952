import type { LabelParameterVersionRequest, UnlabelParameterVersionRequest } from '@aws-sdk/client-ssm';
import type { Given } from '../protocol/given.ts';
import { AwsError } from '../protocol/service.ts';
import type { Operation } from '../protocol/service.ts';
import { parseReference } from './names.ts';
import { latest } from './parameters.ts';
import type { ParameterTable, ParameterVersion } from './parameters.ts';
import { findVersion } from './read.ts';

const MAX_LABELS = 10;

/** AWS's rules for a label: no leading digit, no `aws` or `ssm` in front, letters, digits and `.-_`. */
function isLabel(label: string): boolean {
  return /^(?!\d)(?!aws|ssm)[a-zA-Z0-9_.-]+$/i.test(label);
}

/** LabelParameterVersion: a label is on one version at most, so setting it moves it. */
export function labelParameterVersion(
  table: ParameterTable,
): Operation<Given<LabelParameterVersionRequest, 'Name' | 'Labels'>> {
  return ({ Name, ParameterVersion: wanted, Labels }, request) => {
    const { name } = parseReference(Name);
    const reference = wanted === undefined ? { name } : { name, selector: `:${wanted}` };
    const { parameter, version } = findVersion(table, request, reference);
    const valid = [...new Set(Labels.filter(isLabel))];
    const labelled = parameter.versions.map((one) => {
      const others = one.labels.filter((label) => !valid.includes(label));
      return { ...one, labels: one.version === version.version ? [...others, ...valid] : others };
    });
    checkLimit(labelled, version.version);
    table.save({ ...parameter, versions: labelled });
    return {
      InvalidLabels: Labels.filter((label) => !isLabel(label)),
      ParameterVersion: wanted ?? latest(parameter).version,
    };
  };
}

export function unlabelParameterVersion(
  table: ParameterTable,
): Operation<Given<UnlabelParameterVersionRequest, 'Name' | 'ParameterVersion' | 'Labels'>> {
  return ({ Name, ParameterVersion: wanted, Labels }, request) => {
    const { name } = parseReference(Name);
    const { parameter, version } = findVersion(table, request, { name, selector: `:${wanted}` });
    const removed = Labels.filter((label) => version.labels.includes(label));
    const versions = parameter.versions.map((one) =>
      one === version ? { ...one, labels: one.labels.filter((label) => !removed.includes(label)) } : one,
    );
    table.save({ ...parameter, versions });
    return { RemovedLabels: removed, InvalidLabels: Labels.filter((label) => !removed.includes(label)) };
  };
}

function checkLimit(versions: readonly ParameterVersion[], wanted: number): void {
  const count = versions.find(({ version }) => version === wanted)?.labels.length ?? 0;
  if (count <= MAX_LABELS) return;
  throw new AwsError(
    'ParameterVersionLabelLimitExceeded',
    `A parameter version can have maximum ${MAX_LABELS} labels. Move one or more labels to another version and try again.`,
  );
}
