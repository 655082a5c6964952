/** The judged outcome of a rollout. */
export interface Verdict {
  readonly outcome: 'pass' | 'fail' | 'inconclusive';
  /** For people, the first the most telling. */
  readonly reasons: readonly string[];
}

/** One metric of one service, beside its threshold. */
export interface MetricJudgement {
  readonly service: string;
  readonly metric: 'cpu' | 'memory' | 'latency' | 'errorRate';
  readonly outcome: 'pass' | 'fail' | 'not judged';
  /** Percent for cpu and memory; a share (0 to 1) for latency and errorRate; absent when there is no data. */
  readonly value?: number;
  readonly threshold?: number;
  readonly requests?: number;
  readonly reason: string;
}

/** One check of a checklist or a verification. */
export interface Check {
  readonly name: string;
  readonly passed: boolean;
  /** What was found, and when it did not pass what to do. */
  readonly detail: string;
}
