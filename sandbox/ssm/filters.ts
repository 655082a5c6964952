import type { ParameterStringFilter } from '@aws-sdk/client-ssm';
import { AwsError } from '../protocol/service.ts';
import { latest } from './parameters.ts';
import type { StoredParameter } from './parameters.ts';

type Predicate = (parameter: StoredParameter) => boolean;

/** Whether `name` is under `path`: anywhere below it, or directly. */
export function underPath(name: string, path: string, recursive: boolean): boolean {
  const prefix = path.endsWith('/') ? path : `${path}/`;
  return name.startsWith(prefix) && (recursive || !name.slice(prefix.length).includes('/'));
}

/**
 * The parameters that pass all filters.
 * @param allowed the keys that the operation takes (`tag` stands for every `tag:...`)
 * @throws AwsError InvalidFilterKey, InvalidFilterOption or InvalidFilterValue
 */
export function filterBy(filters: readonly ParameterStringFilter[], allowed: readonly string[]): Predicate {
  const predicates = filters.map((filter) => predicateOf(filter, allowed));
  return (parameter) => predicates.every((passes) => passes(parameter));
}

function predicateOf(filter: ParameterStringFilter, allowed: readonly string[]): Predicate {
  const key = filter.Key ?? '';
  if (!allowed.includes(key.startsWith('tag:') ? 'tag' : key)) {
    throw new AwsError(
      'InvalidFilterKey',
      `The following filter key is not valid: ${key}. Valid filter keys include: [${allowed.join(', ')}].`,
    );
  }
  const values = filter.Values ?? [];
  if (key === 'Path') return pathPredicate(filter.Option ?? 'OneLevel', values);
  const option = filter.Option ?? 'Equals';
  const test = tests.get(option);
  if (!test || (option !== 'Equals' && key !== 'Name' && option !== 'BeginsWith')) {
    throw new AwsError(
      'InvalidFilterOption',
      `The following filter option is not valid: ${option}. Valid options include: [BeginsWith, Equals${key === 'Name' ? ', Contains' : ''}].`,
    );
  }
  if (values.length === 0 && !key.startsWith('tag:')) {
    throw new AwsError(
      'InvalidFilterValue',
      `The following filter values are missing : null for filter key ${key}.`,
    );
  }
  return (parameter) => {
    const found = fieldsOf(parameter, key);
    // A tag filter without values asks for the key alone.
    if (values.length === 0) return found.length > 0;
    return values.some((value) => found.some((field) => test(field, value)));
  };
}

const tests: ReadonlyMap<string, (field: string, value: string) => boolean> = new Map([
  ['Equals', (field: string, value: string) => field === value],
  ['BeginsWith', (field: string, value: string) => field.startsWith(value)],
  ['Contains', (field: string, value: string) => field.includes(value)],
]);

function pathPredicate(option: string, values: readonly string[]): Predicate {
  if (option !== 'OneLevel' && option !== 'Recursive') {
    throw new AwsError(
      'InvalidFilterOption',
      `The following filter option is not valid: ${option}. Valid options include: [Recursive, OneLevel].`,
    );
  }
  const bad = values.find((value) => !value.startsWith('/'));
  if (bad !== undefined) {
    throw new AwsError(
      'ValidationException',
      `The parameter doesn't meet the parameter name requirements: a path begins with "/", not ${bad}`,
    );
  }
  return ({ name }) => values.some((path) => underPath(name, path, option === 'Recursive'));
}

function fieldsOf(parameter: StoredParameter, key: string): readonly string[] {
  const version = latest(parameter);
  switch (key) {
    case 'Name':
      return [parameter.name];
    case 'Type':
      return [version.type];
    case 'KeyId':
      return version.keyId === undefined ? [] : [version.keyId];
    case 'Tier':
      return [version.tier];
    case 'DataType':
      return [version.dataType];
    case 'Label':
      return parameter.versions.flatMap(({ labels }) => labels);
    default: {
      const tag = key.slice('tag:'.length);
      return Object.entries(parameter.tags).flatMap(([name, value]) => (name === tag ? [value] : []));
    }
  }
}
