import { z } from 'zod';
import type { ServiceModel } from '../protocol/model.ts';
import { checkCall } from './check-call.ts';
import { FaultRuleError, isAboutCalls } from './rule.ts';
import type { CallFault, Rule } from './rule.ts';
import { START_ERRORS, stoppedReason } from './stopped-reasons.ts';

const name = z.string().min(1);
const often = { skip: z.int().min(0).default(0), times: z.int().min(1).exactOptional() };
const call = {
  service: name.exactOptional(),
  action: name.exactOptional(),
  match: z.record(name, z.json()).exactOptional(),
  ...often,
};
const tasks = z
  .strictObject({
    cluster: name.exactOptional(),
    service: name.exactOptional(),
    family: name.exactOptional(),
    taskDefinition: name.exactOptional(),
  })
  .default({});

const reason = z.string().transform((given, context) => {
  const meant = stoppedReason(given);
  if (meant !== undefined) return meant;
  const allowed = Object.keys(START_ERRORS).join(', ');
  context.addIssue(
    `must be one of ECS's errors, with or without ': ' and a text: ${allowed}; found '${given}'`,
  );
  return z.NEVER;
});

/** The members of a rule, by its fault. */
const SCHEMAS = {
  throttle: z.strictObject({ fault: z.literal('throttle'), ...call }),
  error: z.strictObject({
    fault: z.literal('error'),
    code: name.exactOptional(),
    message: z.string().exactOptional(),
    status: z.int().exactOptional(),
    ...call,
  }),
  latency: z.strictObject({
    fault: z.literal('latency'),
    milliseconds: z.number().positive().max(600_000),
    ...call,
  }),
  lostAnswer: z.strictObject({ fault: z.literal('lostAnswer'), ...call }),
  hang: z.strictObject({ fault: z.literal('hang'), ...call }),
  taskNeverStarts: z.strictObject({
    fault: z.literal('taskNeverStarts'),
    tasks,
    reason: reason.exactOptional(),
    ...often,
  }),
  ignoresSigterm: z.strictObject({ fault: z.literal('ignoresSigterm'), tasks, ...often }),
  slowDrain: z.strictObject({
    fault: z.literal('slowDrain'),
    targetGroup: name.exactOptional(),
    seconds: z.number().positive().max(3600),
    ...often,
  }),
} as const;

type FaultName = keyof typeof SCHEMAS;

/** What a rule says, before the models have been asked whether it can be. */
type Draft = z.infer<(typeof SCHEMAS)[FaultName]>;
export type CallDraft = Extract<Draft, { fault: CallFault['fault'] }>;

/**
 * Reads one rule as it comes from outside.
 * @param models of the services that can be called
 * @throws FaultRuleError
 */
export function parseRule(models: readonly ServiceModel[], given: unknown): Rule {
  const fault = faultOf(given);
  const schema = SCHEMAS[fault];
  const { success, data, error } = schema.safeParse(given);
  if (!success) {
    throw new FaultRuleError(
      error.issues.map((issue) => describe(issue, fault, Object.keys(schema.shape))).join('; '),
    );
  }
  return isAboutCalls(data) ? checkCall(models, data) : data;
}

function faultOf(given: unknown): FaultName {
  const allowed = Object.keys(SCHEMAS).join(', ');
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new FaultRuleError(`A rule is a JSON object with a member 'fault', one of ${allowed}`);
  }
  const found: unknown = 'fault' in given ? given.fault : undefined;
  if (typeof found === 'string' && Object.hasOwn(SCHEMAS, found)) return found as FaultName;
  throw new FaultRuleError(`'fault' must be one of ${allowed}; found ${JSON.stringify(found) ?? 'none'}`);
}

function describe(issue: z.core.$ZodIssue, fault: FaultName, members: readonly string[]): string {
  const path = issue.path.join('.');
  if (issue.code === 'unrecognized_keys') {
    const allowed = path === 'tasks' ? ['cluster', 'service', 'family', 'taskDefinition'] : members;
    const where = path === '' ? `a rule of fault '${fault}'` : `'${path}'`;
    return `${issue.keys.map((key) => `'${key}'`).join(', ')} is no member of ${where}; it may have ${allowed.join(', ')}`;
  }
  return `'${path}': ${issue.message}`;
}
