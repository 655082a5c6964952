import { AwsError } from '../protocol/service.ts';

const MAX_LEVELS = 15;
/** AWS counts the ARN's `arn:aws:ssm:region:account:parameter` into a name's 2048 characters, and documents 1011 for the rest. */
const MAX_NAME = 1011;

const NAME_RULES =
  'Parameter name: can\'t be prefixed with "ssm" or "aws" (case-insensitive). If formed as a path, it can consist of ' +
  'sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers and the following 3 symbols .-_';

const invalid = (message: string): AwsError => new AwsError('ValidationException', message);

/**
 * Checks a name that a parameter is to be created under.
 * @throws AwsError ValidationException or HierarchyLevelLimitExceededException
 */
export function checkName(name: string): void {
  if (name.length > MAX_NAME) {
    throw invalid(`Parameter name ${name} is too long: ${name.length} characters, ${MAX_NAME} are allowed`);
  }
  if (!/^[a-zA-Z0-9_.\-/]+$/.test(name) || name.endsWith('/') || name.includes('//')) {
    throw invalid(NAME_RULES);
  }
  if (name.includes('/') && !name.startsWith('/')) {
    throw invalid('Parameter name must be a fully qualified name.');
  }
  if (/^\/?(aws|ssm)/i.test(name)) throw invalid(NAME_RULES);
  const levels = name.split('/').filter((part) => part !== '').length;
  if (levels > MAX_LEVELS) {
    throw new AwsError(
      'HierarchyLevelLimitExceededException',
      `A parameter hierarchy can have a maximum of ${MAX_LEVELS} levels; ${name} has ${levels}.`,
    );
  }
}

/** What a caller means by a parameter's name; with no selector, the latest version. */
export interface Reference {
  readonly name: string;
  /** `:3` or `:label`, as the caller wrote it. */
  readonly selector?: string;
  /** Set when an ARN was given: the name that has the same ARN, `x` for `/x`. */
  readonly otherName?: string;
}

/** Splits `name`, `name:version`, `name:label`, or a parameter's ARN with or without one of those. */
export function parseReference(text: string): Reference {
  const arn = /^arn:[^:]+:ssm:[^:]*:\d{12}:parameter(\/.+)$/.exec(text)?.[1];
  const [name, selector] = splitSelector(arn ?? text);
  return {
    name,
    ...(selector === undefined ? {} : { selector: `:${selector}` }),
    ...(arn !== undefined && name.lastIndexOf('/') === 0 ? { otherName: name.slice(1) } : {}),
  };
}

function splitSelector(text: string): [string, string?] {
  const colon = text.indexOf(':');
  return colon < 0 ? [text] : [text.slice(0, colon), text.slice(colon + 1)];
}

export function parameterArn(scope: { region: string; accountId: string }, name: string): string {
  return `arn:aws:ssm:${scope.region}:${scope.accountId}:parameter${name.startsWith('/') ? '' : '/'}${name}`;
}
