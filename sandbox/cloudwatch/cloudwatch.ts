import type { Clock } from '../clock.ts';
import type { ServiceDefinition } from '../protocol/service.ts';
import type { Store } from '../store.ts';
import { createAlarms } from './alarms.ts';
import type { AlarmStates } from './alarms.ts';
import { listMetrics } from './list-metrics.ts';
import { getMetricData } from './metric-data.ts';
import { getMetricStatistics } from './metric-statistics.ts';
import { putMetricData } from './put-metric-data.ts';
import type { MetricRecorder } from './recorder.ts';
import { SeriesStore } from './series.ts';

export interface CloudWatch {
  readonly service: ServiceDefinition;
  readonly recorder: MetricRecorder;
  readonly alarms: AlarmStates;
  /** Writes what was measured since it was last written. */
  close(): void;
}

/** Amazon CloudWatch: metrics and metric alarms. */
export function createCloudWatch({ store, clock }: { store: Store; clock: Clock }): CloudWatch {
  const now = (): number => clock.now();
  const series = new SeriesStore(store, now);
  const alarms = createAlarms({ store, clock, series });
  return {
    service: {
      model: 'cloudwatch',
      operations: {
        GetMetricData: getMetricData(series),
        GetMetricStatistics: getMetricStatistics(series),
        ListMetrics: listMetrics(series, now),
        PutMetricData: putMetricData(series, now),
        ...alarms.operations,
      },
    },
    recorder: series,
    alarms,
    close() {
      alarms.close();
      series.close();
    },
  };
}
