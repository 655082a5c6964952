import { isObject } from '../is-object.ts';
import type { PlanJson } from './plan.ts';

/** Whether all that is read of a plan has the shape that it is read as. Fields may be absent, but not something else. */
export function isPlan(json: unknown): json is PlanJson {
  if (!isObject(json) || !['string', 'undefined'].includes(typeof json['format_version'])) return false;
  const lists = ['resource_changes', 'resource_drift', 'deferred_changes', 'checks', 'action_invocations'];
  const [resources, drift, deferred, checks, invocations] = lists.map((name) => json[name] ?? []);
  const outputs = json['output_changes'] ?? {};
  return (
    isListOf(resources, isResource) &&
    isListOf(drift, isResource) &&
    isListOf(deferred, isObject) &&
    isListOf(json['deferred_action_invocations'] ?? [], isObject) &&
    isListOf(checks, (check) => isObject(check) && isObject(check['address'])) &&
    isListOf(
      invocations,
      (invocation) => isObject(invocation) && typeof invocation['address'] === 'string',
    ) &&
    isObject(outputs) &&
    Object.values(outputs).every(isChange)
  );
}

function isListOf(value: unknown, isItem: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(isItem);
}

function isResource(value: unknown): boolean {
  return isObject(value) && typeof value['address'] === 'string' && isChange(value['change']);
}

function isChange(value: unknown): boolean {
  if (!isObject(value) || !Array.isArray(value['actions'])) return false;
  return value['actions'].length > 0 && value['actions'].every((action) => typeof action === 'string');
}
