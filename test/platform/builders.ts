import { stringify } from 'yaml';
import { InvalidPlatformFile } from '../../src/platform/problems.ts';
import type { Platform } from '../../src/platform/load.ts';
import { parsePlatform } from '../../src/platform/load.ts';

type Fields = Record<string, unknown>;

/** The fields of a minimal platform file, with `fields` over them. */
export function aPlatformFile(fields: Fields = {}): Fields {
  return {
    platform: 'notes',
    services: { web: { taskDefinition: 'deploy/web.json' } },
    environments: { production: anEnvironment() },
    ...fields,
  };
}

export function anEnvironment(fields: Fields = {}): Fields {
  return { account: '123456789012', region: 'eu-west-1', cluster: 'notes', ...fields };
}

/** A platform of one environment, `production`, with `fields`. */
export function withEnvironment(fields: Fields, rest: Fields = {}): Fields {
  return aPlatformFile({ ...rest, environments: { production: anEnvironment(fields) } });
}

export function parse(file: Fields | string): Platform {
  return parsePlatform(typeof file === 'string' ? file : stringify(file), '/srv/notes/slipway.yaml');
}

/** @returns the problems' lines, without the file's name: `12:5 path: found ...; allowed: ...` */
export function problemsOf(file: Fields | string): string[] {
  try {
    parse(file);
    return [];
  } catch (error) {
    if (!(error instanceof InvalidPlatformFile)) throw error;
    return error.message
      .split('\n')
      .slice(1)
      .map((line) => line.trim().replace('/srv/notes/slipway.yaml:', ''));
  }
}
