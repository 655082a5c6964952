import type { StandardUnit } from '@aws-sdk/client-cloudwatch';

/** One measured value. */
export interface Measurement {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly value: number;
  readonly unit?: StandardUnit;
  /** Milliseconds since the epoch; now when left out. */
  readonly timestamp?: number;
  /** How many times the value was seen; 1 when left out. */
  readonly count?: number;
}

/** Where the sandbox's own services put what they measure. */
export interface MetricRecorder {
  record(measurement: Measurement): void;
}
