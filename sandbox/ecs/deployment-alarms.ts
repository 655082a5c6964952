import type { EcsContext } from './context.ts';
import type { ServiceDeploymentRecord } from './records.ts';

/** How often ECS asks for its deployments' alarms, in milliseconds of AWS's time: as often as they are evaluated. */
export const ASKED_EVERY_MS = 10_000;

type Configured = Pick<ServiceDeploymentRecord, 'deploymentConfiguration'>;

/** The deployment's alarms that are in ALARM now. */
export function alarmsOf(ecs: EcsContext, { deploymentConfiguration: { alarms } }: Configured): string[] {
  if (alarms?.enable !== true) return [];
  return (alarms.alarmNames ?? []).filter((name) => ecs.alarms.stateOf(name) === 'ALARM');
}

/**
 * Whether the alarms can fail this deployment: "If an alarm is in the ALARM state at the beginning of a deployment,
 * Amazon ECS will not monitor alarms for the duration of that deployment".
 */
export function watchesAlarms(ecs: EcsContext, configured: Configured): boolean {
  return configured.deploymentConfiguration.alarms?.enable === true && alarmsOf(ecs, configured).length === 0;
}

/** `alarms` of a service deployment, as the API shows it. */
export function shownAlarms(record: ServiceDeploymentRecord): unknown {
  return {
    status: statusOf(record),
    alarmNames: record.deploymentConfiguration.alarms?.alarmNames ?? [],
    triggeredAlarmNames: record.triggeredAlarms,
  };
}

function statusOf(record: ServiceDeploymentRecord): string {
  if (!record.alarmsWatched) return 'DISABLED';
  if (record.triggeredAlarms.length > 0) return 'TRIGGERED';
  return record.finishedAt !== undefined ? 'MONITORING_COMPLETE' : 'MONITORING';
}
