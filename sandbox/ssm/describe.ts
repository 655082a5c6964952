import type { DescribeParametersRequest, ParameterStringFilter } from '@aws-sdk/client-ssm';
import { pageOf } from '../protocol/page.ts';
import { AwsError } from '../protocol/service.ts';
import type { Operation } from '../protocol/service.ts';
import { filterBy } from './filters.ts';
import { parameterArn } from './names.ts';
import { describeVersion, latest } from './parameters.ts';
import type { ParameterTable } from './parameters.ts';
import { invalidToken } from './read.ts';

const PAGE = 50;
const KEYS = ['Path', 'Name', 'Tier', 'Type', 'KeyId', 'DataType', 'Label', 'tag'];

/** DescribeParameters: what there is, without values. */
export function describeParameters(table: ParameterTable): Operation<DescribeParametersRequest> {
  return (input, request) => {
    const { MaxResults = PAGE, NextToken } = input;
    const found = input.Shared === true ? [] : table.list(request).filter(filterBy(filtersOf(input), KEYS));
    const { items, next } = pageOf(found, MaxResults, NextToken, invalidToken);
    return {
      Parameters: items.map((parameter) => ({
        ...describeVersion(parameter, latest(parameter)),
        ARN: parameterArn(parameter, parameter.name),
      })),
      NextToken: next,
    };
  };
}

/** The older `Filters` compare the name's beginning, and the rest as a whole. */
function filtersOf({
  Filters = [],
  ParameterFilters = [],
}: DescribeParametersRequest): ParameterStringFilter[] {
  if (Filters.length > 0 && ParameterFilters.length > 0) {
    throw new AwsError(
      'ValidationException',
      'You can use either Filters or ParameterFilters in a single request.',
    );
  }
  const older = Filters.map(({ Key, Values }) => ({
    Key,
    Option: Key === 'Name' ? 'BeginsWith' : 'Equals',
    Values,
  }));
  return [...older, ...ParameterFilters];
}
