import type { DeleteParameterRequest, DeleteParametersRequest } from '@aws-sdk/client-ssm';
import type { Given } from '../protocol/given.ts';
import type { Operation } from '../protocol/service.ts';
import { parseReference } from './names.ts';
import type { ParameterTable } from './parameters.ts';
import { notFound } from './read.ts';

export function deleteParameter(table: ParameterTable): Operation<Given<DeleteParameterRequest, 'Name'>> {
  return ({ Name }, request) => {
    const parameter = table.find(request, parseReference(Name));
    if (!parameter) throw notFound(Name);
    table.remove(parameter);
    return {};
  };
}

export function deleteParameters(table: ParameterTable): Operation<Given<DeleteParametersRequest, 'Names'>> {
  return ({ Names }, request) => {
    const deleted: string[] = [];
    for (const name of new Set(Names)) {
      const parameter = table.find(request, parseReference(name));
      if (!parameter) continue;
      table.remove(parameter);
      deleted.push(name);
    }
    return { DeletedParameters: deleted, InvalidParameters: Names.filter((name) => !deleted.includes(name)) };
  };
}
