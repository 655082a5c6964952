import { errorTraits, shapeOf } from '../protocol/model.ts';
import type { OperationModel, ServiceModel } from '../protocol/model.ts';
import { CODE_OF_STATUS } from './errors.ts';
import type { CallDraft } from './parse.ts';
import { FaultRuleError } from './rule.ts';
import type { Rule } from './rule.ts';

interface Candidate {
  readonly model: ServiceModel;
  readonly operation: OperationModel;
}

/**
 * Checks a rule about calls against the services' own models: that there is such a service, action, member and error.
 * @throws FaultRuleError
 */
export function checkCall(models: readonly ServiceModel[], draft: CallDraft): Rule {
  const chosen = draft.service === undefined ? models : [serviceNamed(models, draft.service)];
  const candidates = candidatesOf(chosen, draft.action);
  checkMembers(candidates, draft.match ?? {});
  const service = draft.service === undefined ? {} : { service: chosen[0]?.name ?? '' };
  if (draft.fault !== 'error') return { ...draft, ...service };
  const code = checkError(candidates, draft);
  return { ...draft, ...service, code, message: draft.message ?? `${code} on request` };
}

/** A service goes by its model's name, as in boto3 and the AWS CLI, or by the name that signatures and endpoints have. */
function serviceNamed(models: readonly ServiceModel[], name: string): ServiceModel {
  const found = models.find((model) => namesOf(model).includes(name));
  if (found) return found;
  const allowed = models.map((model) => namesOf(model).join(' or ')).toSorted();
  throw new FaultRuleError(`'service' must be one of ${allowed.join(', ')}; found '${name}'`);
}

function namesOf({ name, metadata }: ServiceModel): string[] {
  return [...new Set([name, metadata.signingName ?? metadata.endpointPrefix])];
}

function candidatesOf(models: readonly ServiceModel[], action: string | undefined): Candidate[] {
  const all = models.flatMap((model) =>
    Object.values(model.operations).map((operation) => ({ model, operation })),
  );
  const meant = all.filter(({ operation }) => action === undefined || operation.name === action);
  if (meant.length > 0) return meant;
  const allowed = [...new Set(all.map(({ operation }) => operation.name))].toSorted().join(', ');
  throw new FaultRuleError(`'action' must be one of ${allowed}; found '${action ?? ''}'`);
}

function checkMembers(candidates: readonly Candidate[], match: Readonly<Record<string, unknown>>): void {
  const members = new Set(candidates.flatMap(inputMembers));
  for (const name of Object.keys(match)) {
    if (members.has(name)) continue;
    throw new FaultRuleError(
      `'match' must name members of the input, ${[...members].toSorted().join(', ')}; found '${name}'`,
    );
  }
}

function inputMembers({ model, operation }: Candidate): string[] {
  return operation.input ? Object.keys(shapeOf(model, operation.input.shape).members ?? {}) : [];
}

/** @returns the error's code: one that the model knows, or any with a status of 5xx */
function checkError(
  candidates: readonly Candidate[],
  { code, status }: { readonly code?: string; readonly status?: number },
): string {
  const modelled = new Map(
    candidates.flatMap(({ model, operation }) =>
      (operation.errors ?? []).map(({ shape }) => [shape, errorTraits(model, shape).status]),
    ),
  );
  if (status !== undefined && (status < 500 || status > 599) && status !== modelled.get(code ?? '')) {
    throw new FaultRuleError(
      `'status' must be from 500 to 599, or what the model says of 'code'; found ${status}`,
    );
  }
  const meant = code ?? CODE_OF_STATUS[status ?? 0];
  if (meant !== undefined && (status !== undefined || modelled.has(meant))) return meant;
  throw new FaultRuleError(
    `'code' must be one of ${[...modelled.keys()].toSorted().join(', ')}, or come with a 'status' from 500 to 599 ` +
      `(of which 500 and 503 need no code); found ${code === undefined ? 'none' : `'${code}'`}`,
  );
}
