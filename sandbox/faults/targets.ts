import type { Faults } from './faults.ts';
import type { Rule } from './rule.ts';

type SlowDrain = Extract<Rule, { fault: 'slowDrain' }>;

/** By how many seconds the rules have a target of a group drain longer, for each target that begins to. */
export function drainsLonger(faults: Faults): (targetGroupArn: string) => number {
  return (arn) => {
    const isAbout = (rule: Rule): rule is SlowDrain => rule.fault === 'slowDrain' && means(rule, arn);
    return faults.strike(isAbout)?.rule.seconds ?? 0;
  };
}

/** A target group's ARN ends in `targetgroup/<name>/<id>`. */
function means({ targetGroup }: SlowDrain, arn: string): boolean {
  return targetGroup === undefined || targetGroup === arn || targetGroup === arn.split('/').at(-2);
}
