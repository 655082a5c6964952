import type { Clock } from '../clock.ts';
import type { ServiceDefinition } from '../protocol/service.ts';
import type { Store } from '../store.ts';
import { deleteParameter, deleteParameters } from './delete.ts';
import { describeParameters } from './describe.ts';
import { labelParameterVersion, unlabelParameterVersion } from './labels.ts';
import { parseReference } from './names.ts';
import { createParameterTable, select } from './parameters.ts';
import type { Scope } from './parameters.ts';
import { putParameter } from './put.ts';
import { getParameter, getParameterHistory, getParameters, getParametersByPath } from './read.ts';
import { addTagsToResource, listTagsForResource, removeTagsFromResource } from './tags.ts';

/** Parameter Store for the sandbox's own use: what a task's `secrets` refer to. */
export interface ParameterReader {
  /**
   * The decrypted value, or undefined when there is no such parameter or version.
   * @param reference a name or an ARN, either with `:version` or `:label` behind it or not
   * @param scope whose parameters a name means; an ARN says so itself
   */
  value(reference: string, scope: Scope): string | undefined;
}

export interface Ssm {
  readonly service: ServiceDefinition;
  readonly parameters: ParameterReader;
}

/** AWS Systems Manager Parameter Store. */
export function createSsm({ store, clock }: { store: Store; clock: Clock }): Ssm {
  const table = createParameterTable(store);
  return {
    service: {
      model: 'ssm',
      operations: {
        PutParameter: putParameter(table, clock),
        GetParameter: getParameter(table),
        GetParameters: getParameters(table),
        GetParametersByPath: getParametersByPath(table),
        GetParameterHistory: getParameterHistory(table),
        DescribeParameters: describeParameters(table),
        DeleteParameter: deleteParameter(table),
        DeleteParameters: deleteParameters(table),
        LabelParameterVersion: labelParameterVersion(table),
        UnlabelParameterVersion: unlabelParameterVersion(table),
        AddTagsToResource: addTagsToResource(table),
        RemoveTagsFromResource: removeTagsFromResource(table),
        ListTagsForResource: listTagsForResource(table),
      },
    },
    parameters: {
      value(reference, scope) {
        const parsed = parseReference(reference);
        const parameter = table.find(scopeOf(reference) ?? scope, parsed);
        const version = parameter && select(parameter, parsed.selector);
        return version && table.valueOf(parameter, version);
      },
    },
  };
}

function scopeOf(reference: string): Scope | undefined {
  const [, region, accountId] = /^arn:[^:]+:ssm:([^:]*):(\d{12}):/.exec(reference) ?? [];
  return region === undefined || accountId === undefined ? undefined : { region, accountId };
}
