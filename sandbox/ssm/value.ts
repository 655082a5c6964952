import type { ParameterTier, ParameterType } from '@aws-sdk/client-ssm';
import { AwsError } from '../protocol/service.ts';
import type { ParameterVersion } from './parameters.ts';

type StoredTier = ParameterVersion['tier'];

const MAX_BYTES: Record<StoredTier, number> = { Standard: 4096, Advanced: 8192 };
const DATA_TYPES = ['text', 'aws:ec2:image', 'aws:ssm:integration'];

const invalid = (message: string): AwsError => new AwsError('ValidationException', message);

/**
 * The tier that a value is stored in: what is asked for, or what Intelligent-Tiering chooses by size.
 * @throws AwsError ValidationException when an advanced parameter would become a standard one
 */
export function tierFor(
  input: { Value: string; Tier?: ParameterTier | undefined },
  previous: StoredTier | undefined,
): StoredTier {
  if (input.Tier === 'Standard' && previous === 'Advanced') {
    throw invalid(
      "This parameter uses the advanced-parameter tier. You can't downgrade a parameter from the advanced-parameter tier " +
        'to the standard-parameter tier. If necessary, you can delete the advanced parameter and recreate it as a standard parameter.',
    );
  }
  if (input.Tier === 'Intelligent-Tiering') {
    return previous ?? (Buffer.byteLength(input.Value) > MAX_BYTES.Standard ? 'Advanced' : 'Standard');
  }
  return input.Tier ?? previous ?? 'Standard';
}

/**
 * Checks a value by its type, tier and pattern.
 * @throws AwsError ValidationException, InvalidAllowedPatternException or ParameterPatternMismatchException
 */
export function checkValue(given: {
  value: string;
  type: ParameterType;
  tier: StoredTier;
  dataType: string;
  allowedPattern: string | undefined;
}): void {
  const { value, type, tier, dataType, allowedPattern } = given;
  if (value === '') {
    throw invalid(
      "1 validation error detected: Value '' at 'value' failed to satisfy constraint: Member must have length greater than or equal to 1.",
    );
  }
  if (Buffer.byteLength(value) > MAX_BYTES[tier]) throw invalid(tooLong(tier));
  if (type === 'StringList' && value.split(',').includes('')) {
    throw invalid('A StringList is items separated by commas; an item may not be empty.');
  }
  if (!DATA_TYPES.includes(dataType)) {
    throw invalid(
      `The following data type is not supported: ${dataType} (Data type names are all lowercase.)`,
    );
  }
  if (allowedPattern !== undefined && allowedPattern !== '') checkPattern(value, allowedPattern);
}

function tooLong(tier: StoredTier): string {
  return tier === 'Standard'
    ? `Standard tier parameters support a maximum parameter value of ${MAX_BYTES.Standard} characters. To create a larger ` +
        'parameter value, upgrade the parameter to use the advanced-parameter tier.'
    : `Advanced tier parameters support a maximum parameter value of ${MAX_BYTES.Advanced} characters.`;
}

function checkPattern(value: string, pattern: string): void {
  let expression: RegExp;
  try {
    expression = new RegExp(pattern, 'u');
  } catch (error) {
    throw new AwsError(
      'InvalidAllowedPatternException',
      `The request does not meet the regular expression requirement: ${error instanceof Error ? error.message : pattern}`,
    );
  }
  if (!expression.test(value)) {
    throw new AwsError(
      'ParameterPatternMismatchException',
      `Parameter value, cannot be validated against allowedPattern: ${pattern}`,
    );
  }
}
