import { nowIso, shortName } from './context.ts';
import type { EcsContext } from './context.ts';
import type { ServiceRecord } from './records.ts';

/** What ECS keeps: the latest 100 events. */
const KEPT = 100;

/** Adds a service event; `text` goes behind the service's name, as in ECS's own events. */
export function say(ecs: EcsContext, service: ServiceRecord, text: string): ServiceRecord {
  const message = `(service ${service.serviceName}) ${text}`;
  const event = { id: crypto.randomUUID(), createdAt: nowIso(ecs), message };
  return { ...service, events: [event, ...service.events].slice(0, KEPT) };
}

export function namedTasks(taskArns: readonly string[]): string {
  return taskArns.map((taskArn) => `(task ${shortName(taskArn)})`).join(' ');
}
