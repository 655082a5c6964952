import type {
  GetParameterHistoryRequest,
  GetParameterRequest,
  GetParametersByPathRequest,
  GetParametersRequest,
} from '@aws-sdk/client-ssm';
import type { Given } from '../protocol/given.ts';
import { pageOf } from '../protocol/page.ts';
import { AwsError } from '../protocol/service.ts';
import type { Operation } from '../protocol/service.ts';
import { filterBy, underPath } from './filters.ts';
import { parseReference } from './names.ts';
import type { Reference } from './names.ts';
import { describeValue, describeVersion, latest, select } from './parameters.ts';
import type { ParameterTable, ParameterVersion, Scope, StoredParameter } from './parameters.ts';

const HISTORY_PAGE = 50;
const PATH_PAGE = 10;

export const notFound = (name: string): AwsError =>
  new AwsError('ParameterNotFound', `Parameter ${name} not found.`);

export const invalidToken = (): AwsError =>
  new AwsError('InvalidNextToken', 'The specified token is not valid.');

/** A parameter and the version that `reference` selects. @throws AwsError ParameterNotFound, ParameterVersionNotFound */
export function findVersion(
  table: ParameterTable,
  scope: Scope,
  reference: Reference,
): { parameter: StoredParameter; version: ParameterVersion } {
  const parameter = table.find(scope, reference);
  if (!parameter) throw notFound(reference.name);
  const version = select(parameter, reference.selector);
  if (version) return { parameter, version };
  throw new AwsError(
    'ParameterVersionNotFound',
    `Systems Manager could not find version ${reference.selector?.slice(1)} of ${parameter.name}. ` +
      'Verify the version and try again.',
  );
}

export function getParameter(table: ParameterTable): Operation<Given<GetParameterRequest, 'Name'>> {
  return ({ Name, WithDecryption = false }, request) => {
    const reference = parseReference(Name);
    const { parameter, version } = findVersion(table, request, reference);
    const options = { decrypt: WithDecryption, selector: reference.selector };
    return { Parameter: describeValue(table, parameter, version, options) };
  };
}

export function getParameters(table: ParameterTable): Operation<Given<GetParametersRequest, 'Names'>> {
  return ({ Names, WithDecryption = false }, request) => {
    if (new Set(Names).size < Names.length) {
      throw new AwsError('ValidationException', 'Duplicate parameters are not allowed in the request.');
    }
    const found = Names.map((name) => {
      const reference = parseReference(name);
      const parameter = table.find(request, reference);
      const version = parameter && select(parameter, reference.selector);
      const options = { decrypt: WithDecryption, selector: reference.selector };
      return { name, answer: version && describeValue(table, parameter, version, options) };
    });
    return {
      Parameters: found.flatMap(({ answer }) => (answer ? [answer] : [])),
      InvalidParameters: found.filter(({ answer }) => !answer).map(({ name }) => name),
    };
  };
}

export function getParametersByPath(
  table: ParameterTable,
): Operation<Given<GetParametersByPathRequest, 'Path'>> {
  return (input, request) => {
    const { Path, Recursive = false, WithDecryption = false, ParameterFilters = [] } = input;
    if (!Path.startsWith('/')) {
      throw new AwsError(
        'ValidationException',
        `The parameter doesn't meet the parameter name requirements. The parameter name must begin with a forward slash "/". ` +
          `It can't be prefixed with "aws" or "ssm" (case-insensitive). It must use only letters, numbers, or the following ` +
          `symbols: . (period), - (hyphen), _ (underscore). Special characters are not allowed.`,
      );
    }
    const matching = filterBy(ParameterFilters, ['Type', 'KeyId', 'Label']);
    const label = ParameterFilters.find(({ Key }) => Key === 'Label')?.Values ?? [];
    const found = table
      .list(request)
      .filter(({ name }) => underPath(name, Path, Recursive))
      .filter(matching);
    const { items, next } = pageOf(found, input.MaxResults ?? PATH_PAGE, input.NextToken, invalidToken);
    return {
      Parameters: items.map((parameter) => {
        const version = labelled(parameter, label);
        return describeValue(table, parameter, version, { decrypt: WithDecryption });
      }),
      NextToken: next,
    };
  };
}

/** A filter by label chooses the version too. */
function labelled(parameter: StoredParameter, labels: readonly string[]): ParameterVersion {
  const version = parameter.versions.find((one) => labels.some((label) => one.labels.includes(label)));
  return version ?? latest(parameter);
}

export function getParameterHistory(
  table: ParameterTable,
): Operation<Given<GetParameterHistoryRequest, 'Name'>> {
  return ({ Name, WithDecryption = false, MaxResults = HISTORY_PAGE, NextToken }, request) => {
    const parameter = table.find(request, parseReference(Name));
    if (!parameter) throw notFound(Name);
    const { items, next } = pageOf(parameter.versions, MaxResults, NextToken, invalidToken);
    return {
      Parameters: items.map((version) => ({
        ...describeVersion(parameter, version),
        Value: table.valueOf(parameter, version, !WithDecryption),
        Labels: version.labels,
      })),
      NextToken: next,
    };
  };
}
