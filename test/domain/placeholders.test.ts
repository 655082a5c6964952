import { describe, expect, test } from '@jest/globals';
import { substitute, valuesOf } from '../../src/domain/placeholders.ts';

describe('substitute', () => {
  test('puts values in, as often as a placeholder stands there', () => {
    const values = { version: '1.4.0', ...valuesOf('output', { editor_url: 'http://editor' }) };
    expect(substitute('${output:editor_url}/v/${version}?was=${version}', values)).toEqual({
      text: 'http://editor/v/1.4.0?was=1.4.0',
      unresolved: [],
    });
  });

  test('leaves a placeholder without a value as it is, and names it once', () => {
    expect(substitute('${commit} ${setting:MODEL} ${commit}', {})).toEqual({
      text: '${commit} ${setting:MODEL} ${commit}',
      unresolved: ['commit', 'setting:MODEL'],
    });
  });

  test('reads arguments that hold colons, slashes and dots', () => {
    const values = { 'secret:writing/production/api-key:value.key': 'arn:aws:x' };
    expect(substitute('${secret:writing/production/api-key:value.key}', values).text).toBe('arn:aws:x');
  });

  test('does not substitute what a value brings in', () => {
    expect(substitute('${version}', { version: '${commit}', commit: 'abc' }).text).toBe('${commit}');
  });

  test('keeps dollar signs of values, and text that is no placeholder', () => {
    expect(substitute('${version} $HOME $${x ${} ${Version} $1', { version: '$&$1' }).text).toBe(
      '$&$1 $HOME $${x ${} ${Version} $1',
    );
  });

  test('does not take names from the prototype of the values', () => {
    expect(substitute('${constructor} ${toString}', {}).unresolved).toEqual(['constructor', 'toString']);
  });
});
