import type { Path } from './document.ts';
import type { PlatformProblem } from './problems.ts';
import { mapAt, stringAt, stringsAt, valueAt } from './raw.ts';

const OUTPUT = 'output:NAME';

/** Placeholders that nothing fills: unknown ones, and Terraform outputs where an environment has no Terraform. */
export function placeholderProblems(platform: unknown): PlatformProblem[] {
  const texts = [...urls(platform), ...testValues(platform)];
  return [...texts.flatMap(unknownPlaceholders), ...texts.flatMap((text) => missingOutputs(platform, text))];
}

interface Text {
  readonly path: Path;
  readonly text: string;
  readonly known: readonly string[];
  /** Whether the environment reads this text. */
  readonly readBy: (environment: unknown) => boolean;
}

function urls(platform: unknown): Text[] {
  return Object.entries(mapAt(platform, 'services')).flatMap(([name, service]) => {
    const text = stringAt(service, 'url');
    return text === undefined
      ? []
      : [{ path: ['services', name, 'url'], text, known: [OUTPUT], readBy: () => true }];
  });
}

function testValues(platform: unknown): Text[] {
  return Object.entries(mapAt(platform, 'tests')).flatMap(([name, suite]) =>
    Object.entries(mapAt(suite, 'environment')).flatMap(([variable, text]) => {
      if (typeof text !== 'string') return [];
      const path = ['tests', name, 'environment', variable];
      const readBy = (environment: unknown): boolean =>
        [
          ...stringsAt(environment, 'verification', 'tests'),
          ...stringsAt(environment, 'rollout', 'canary', 'smoke'),
        ].includes(name);
      return [{ path, text, known: [OUTPUT, 'version'], readBy }];
    }),
  );
}

function unknownPlaceholders({ path, text, known }: Text): PlatformProblem[] {
  return placeholders(text)
    .filter((name) => !known.includes(name.replace(/^output:[A-Za-z_][\w-]*$/, OUTPUT)))
    .map((name) => ({
      path,
      found: `the unknown placeholder \${${name}}`,
      allowed: known.map((placeholder) => `\${${placeholder}}`).join(', '),
    }));
}

function missingOutputs(platform: unknown, { path, text, readBy }: Text): PlatformProblem[] {
  const outputs = placeholders(text).filter((name) => name.startsWith('output:'));
  const without = Object.entries(mapAt(platform, 'environments'))
    .filter(([, environment]) => valueAt(environment, 'terraform') === undefined && readBy(environment))
    .map(([name]) => name);
  if (outputs.length === 0 || without.length === 0) return [];
  return [
    {
      path,
      found: `\${${outputs[0]}}, which has no value in ${without.join(', ')}: no terraform there`,
      allowed: 'a text without Terraform outputs, or terraform in every environment that reads it',
    },
  ];
}

function placeholders(text: string): string[] {
  return [...text.matchAll(/\$\{([^}]*)\}/g)].map((match) => match[1] ?? '');
}
