/** The calls that a rule is about. What is left out may be anything. */
export interface CallSelector {
  /** The name of the service's model: `ecs`, `elbv2`. */
  readonly service?: string;
  readonly action?: string;
  /** Members of the input and what they must be. */
  readonly match?: Readonly<Record<string, unknown>>;
}

/** The tasks that a rule is about. What is left out may be anything. */
export interface TaskSelector {
  readonly cluster?: string;
  readonly service?: string;
  readonly family?: string;
  /** An ARN or `family:revision`. */
  readonly taskDefinition?: string;
}

/** What can happen to a call. */
export type CallFault = CallSelector &
  (
    | { readonly fault: 'throttle' }
    | {
        readonly fault: 'error';
        readonly code: string;
        readonly message: string;
        /** By default what the model says. */
        readonly status?: number;
      }
    /** True time, whatever the sandbox's speed; then the call goes on. */
    | { readonly fault: 'latency'; readonly milliseconds: number }
    /** The operation runs, then the connection is cut without an answer. */
    | { readonly fault: 'lostAnswer' }
    /** The operation doesn't run, and the client waits until it gives up, or the rule is deleted and the connection cut. */
    | { readonly fault: 'hang' }
  );

/** What can happen to a task. */
export type TaskFault = { readonly tasks: TaskSelector } & (
  | {
      readonly fault: 'taskNeverStarts';
      /** The stopped reason. Without one the task stays PENDING until the rule is deleted. */
      readonly reason?: string;
    }
  /** No container reacts to SIGTERM: each runs until its stopTimeout and is killed. */
  | { readonly fault: 'ignoresSigterm' }
);

/** What can happen to a target that is deregistered: it drains for longer than its group's deregistration delay. */
export interface TargetFault {
  readonly fault: 'slowDrain';
  /** A target group's name or ARN; any when left out. */
  readonly targetGroup?: string;
  /** Of AWS's time, as the deregistration delay itself. */
  readonly seconds: number;
}

export type Fault = CallFault | TaskFault | TargetFault;

/** A fault, and how often it strikes. */
export type Rule = Fault & {
  /** How many of what it is about it lets pass first. */
  readonly skip: number;
  /** How often it strikes then; without a limit until it is deleted. */
  readonly times?: number;
};

/** A rule on record. */
export type FaultRecord = Rule & {
  readonly id: string;
  /** How many calls, tasks or targets it was about so far. */
  readonly matched: number;
  /** How many of them it has struck. */
  readonly struck: number;
};

/** A rule that can't be meant; the message says what is allowed. */
export class FaultRuleError extends Error {
  override readonly name = 'FaultRuleError';
}

const ABOUT_CALLS: readonly string[] = [
  'throttle',
  'error',
  'latency',
  'lostAnswer',
  'hang',
] satisfies CallFault['fault'][];

/** Tells the rules about calls from those about tasks and targets. */
export function isAboutCalls<F extends { readonly fault: string }>(
  rule: F,
): rule is Extract<F, { readonly fault: CallFault['fault'] }> {
  return ABOUT_CALLS.includes(rule.fault);
}
