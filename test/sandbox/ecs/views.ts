import type {
  Action,
  DeploymentView,
  RolloutView,
  ServiceView,
  TaskView,
} from '../../../sandbox/ecs/view.ts';

export const aDeployment = (id: string, given: Partial<DeploymentView> = {}): DeploymentView => ({
  id,
  primary: id === 'new',
  rolloutState: id === 'new' ? 'IN_PROGRESS' : 'COMPLETED',
  failedTasks: 0,
  notBefore: 0,
  ...given,
});

let count = 0;
/** Tasks of a deployment, each later one younger. */
export const tasks = (number: number, deploymentId: string, given: Partial<TaskView> = {}): TaskView[] =>
  Array.from({ length: number }, () => ({
    taskArn: `${deploymentId}-${++count}`,
    deploymentId,
    phase: 'running',
    health: 'passing',
    createdAt: count,
    ...given,
  }));

export const starting = { phase: 'starting', health: 'pending' } as const;

export const aRollout = (given: Partial<RolloutView> = {}): RolloutView => ({
  stage: 'SCALE_UP',
  since: 0,
  rollingBack: false,
  rollbackRequested: false,
  weights: { production: 0, test: 0 },
  hooks: [],
  alarms: { triggered: [], rollback: false },
  ...given,
});

/** A rollout of `new` over `old`, of four tasks. */
export const aView = (given: Partial<ServiceView> = {}): ServiceView => ({
  now: 1000,
  desiredCount: 4,
  minimumHealthyPercent: 100,
  maximumPercent: 200,
  breaker: { enable: true, rollback: true },
  deployments: [aDeployment('new'), aDeployment('old')],
  tasks: [],
  rollout: aRollout(),
  rollbackTo: 'old',
  draining: false,
  steady: false,
  ...given,
});

/** What is done, in short: `start new 4`, `stop old scaling 2`. */
export function inShort(actions: readonly Action[]): string[] {
  const stops = new Map<string, number>();
  const others = actions.flatMap((action) => {
    if (action.kind === 'startTasks') return [`start ${action.deploymentId} ${action.count}`];
    if (action.kind !== 'stopTask') return [action.kind];
    const key = `stop ${action.taskArn.split('-')[0]} ${action.why}`;
    stops.set(key, (stops.get(key) ?? 0) + 1);
    return [];
  });
  return [...others, ...[...stops].map(([key, number]) => `${key} ${number}`)];
}
