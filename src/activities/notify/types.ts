export interface Notice {
  readonly kind: 'started' | 'waiting' | 'reminder' | 'completed' | 'failed' | 'page';
  readonly platform: string;
  readonly environment: string;
  readonly version: string;
  /** One or two sentences, with what to do. */
  readonly text: string;
  /** What is to be agreed to, where an approval is asked: Terraform's plan, sensitive values masked, at most 8 KB. */
  readonly markdown?: string;
  readonly workflowId: string;
  readonly runId: string;
  /** Deterministic within the run: receivers drop repeats by it. */
  readonly id: string;
}

export interface NotifyActivities {
  /** Logs the notice and posts it to the platform's webhook, signed, when there is one. */
  notify(notice: Notice): Promise<void>;
}
