import type { TaskSpec, TaskTrouble } from '../tasks/types.ts';
import type { Faults } from './faults.ts';
import type { Rule, TaskFault, TaskSelector } from './rule.ts';

type RuleOf<Name extends TaskFault['fault']> = Extract<Rule, { fault: Name }>;

/** What the rules have go wrong with tasks. */
export function troubleOfTasks(faults: Faults): TaskTrouble {
  return {
    atStart(spec) {
      const strike = faults.strike((rule): rule is RuleOf<'taskNeverStarts'> => {
        return rule.fault === 'taskNeverStarts' && isAbout(rule.tasks, spec);
      });
      if (!strike) return undefined;
      const { reason } = strike.rule;
      return reason === undefined ? { passed: strike.deleted } : { reason };
    },
    atStop(spec) {
      const strike = faults.strike((rule): rule is RuleOf<'ignoresSigterm'> => {
        return rule.fault === 'ignoresSigterm' && isAbout(rule.tasks, spec);
      });
      return strike !== undefined;
    },
  };
}

/** Whether the task is one of those that are meant; a rule may have names or ARNs. */
function isAbout({ cluster, service, family, taskDefinition }: TaskSelector, spec: TaskSpec): boolean {
  const is = (wanted: string | undefined, found: string | undefined): boolean =>
    wanted === undefined || (found !== undefined && lastPart(wanted) === lastPart(found));
  return (
    is(cluster, spec.clusterName) &&
    is(service, spec.serviceName) &&
    is(family, spec.family) &&
    is(taskDefinition, spec.taskDefinitionArn)
  );
}

function lastPart(nameOrArn: string): string {
  return nameOrArn.slice(nameOrArn.lastIndexOf('/') + 1);
}
