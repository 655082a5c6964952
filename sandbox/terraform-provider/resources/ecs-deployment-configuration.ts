import type {
  DeploymentAlarms,
  DeploymentConfiguration,
  DeploymentLifecycleHook,
  DeploymentLifecycleHookAction,
  DeploymentLifecycleHookStage,
  DeploymentStrategy,
} from '@aws-sdk/client-ecs';
import type { NestedBlock } from '../plugin/schema.ts';
import { block, blocks, flag, number, required, text, texts } from '../plugin/value.ts';
import type { State, Value } from '../plugin/value.ts';
import { between, oneOf } from './common.ts';

const LONGEST_BAKE = 1440;
const LONGEST_PAUSE = 20_160;

/** Minutes are strings in `hashicorp/aws`: so 0 is something else than nothing. */
const minutes = { type: 'string', optional: true, computed: true, check: wholeMinutes } as const;

function wholeMinutes(value: Value): string | undefined {
  const isWhole = typeof value === 'string' && /^\d+$/.test(value) && Number(value) <= LONGEST_BAKE;
  return isWhole
    ? undefined
    : `expected whole minutes from 0 to ${LONGEST_BAKE}, got ${JSON.stringify(value)}`;
}

const lifecycleHookBlock: NestedBlock = {
  nesting: 'set',
  attributes: {
    target_type: { type: 'string', required: true, check: oneOf('PAUSE') },
    lifecycle_stages: { type: ['list', 'string'], required: true },
  },
  blocks: {
    timeout_configuration: {
      nesting: 'list',
      max: 1,
      attributes: {
        timeout_in_minutes: { type: 'number', optional: true, check: between(1, LONGEST_PAUSE) },
        action: { type: 'string', optional: true, check: oneOf('CONTINUE', 'ROLLBACK') },
      },
    },
  },
};

/** `deployment_configuration` of aws_ecs_service. Without the block the service's strategy is nobody's business here. */
export const deploymentConfigurationBlock: NestedBlock = {
  nesting: 'list',
  max: 1,
  attributes: {
    strategy: {
      type: 'string',
      optional: true,
      computed: true,
      check: oneOf('ROLLING', 'BLUE_GREEN', 'LINEAR', 'CANARY'),
    },
    bake_time_in_minutes: minutes,
  },
  blocks: {
    linear_configuration: {
      nesting: 'list',
      max: 1,
      attributes: {
        step_percent: { type: 'number', optional: true, computed: true, check: between(3, 100) },
        step_bake_time_in_minutes: minutes,
      },
    },
    canary_configuration: {
      nesting: 'list',
      max: 1,
      attributes: {
        canary_percent: { type: 'number', optional: true, computed: true, check: between(0.1, 100) },
        canary_bake_time_in_minutes: minutes,
      },
    },
    lifecycle_hook: lifecycleHookBlock,
  },
};

/** `alarms` of aws_ecs_service. */
export const alarmsBlock: NestedBlock = {
  nesting: 'list',
  max: 1,
  attributes: {
    alarm_names: { type: ['set', 'string'], required: true },
    enable: { type: 'bool', required: true },
    rollback: { type: 'bool', required: true },
  },
};

/** What the block declares, in the API's words; nothing where there is no block. */
export function toStrategy(state: State): DeploymentConfiguration {
  const declared = block(state, 'deployment_configuration');
  if (!declared) return {};
  const linear = block(declared, 'linear_configuration');
  const canary = block(declared, 'canary_configuration');
  return {
    strategy: text(declared, 'strategy') as DeploymentStrategy | undefined,
    bakeTimeInMinutes: wholeNumber(declared, 'bake_time_in_minutes'),
    lifecycleHooks: blocks(declared, 'lifecycle_hook').map(toHook),
    ...(linear && {
      linearConfiguration: {
        stepPercent: number(linear, 'step_percent'),
        stepBakeTimeInMinutes: wholeNumber(linear, 'step_bake_time_in_minutes'),
      },
    }),
    ...(canary && {
      canaryConfiguration: {
        canaryPercent: number(canary, 'canary_percent'),
        canaryBakeTimeInMinutes: wholeNumber(canary, 'canary_bake_time_in_minutes'),
      },
    }),
  };
}

function wholeNumber(state: State, name: string): number | undefined {
  const value = text(state, name);
  return value === undefined ? undefined : Number(value);
}

function toHook(declared: State): DeploymentLifecycleHook {
  const timeout = block(declared, 'timeout_configuration');
  return {
    targetType: required(declared, 'target_type') as 'PAUSE',
    lifecycleStages: (texts(declared, 'lifecycle_stages') ?? []) as DeploymentLifecycleHookStage[],
    ...(timeout && {
      timeoutConfiguration: {
        timeoutInMinutes: number(timeout, 'timeout_in_minutes'),
        action: text(timeout, 'action') as DeploymentLifecycleHookAction | undefined,
      },
    }),
  };
}

/** Said even when there are none, so that alarms which were declared before are watched no longer. */
export function toAlarms(state: State): DeploymentAlarms {
  const declared = block(state, 'alarms');
  return {
    alarmNames: (declared && texts(declared, 'alarm_names')) ?? [],
    enable: (declared && flag(declared, 'enable')) ?? false,
    rollback: (declared && flag(declared, 'rollback')) ?? false,
  };
}

/** Where the configuration has the block: what ECS says. */
export function fromStrategy(live: DeploymentConfiguration, before: State): State[] {
  const declared = block(before, 'deployment_configuration');
  if (!declared) return [];
  const { linearConfiguration: linear, canaryConfiguration: canary } = live;
  const has = (name: string): boolean => block(declared, name) !== undefined;
  return [
    {
      strategy: live.strategy ?? null,
      bake_time_in_minutes: asText(live.bakeTimeInMinutes),
      linear_configuration:
        linear && has('linear_configuration')
          ? [
              {
                step_percent: linear.stepPercent ?? null,
                step_bake_time_in_minutes: asText(linear.stepBakeTimeInMinutes),
              },
            ]
          : [],
      canary_configuration:
        canary && has('canary_configuration')
          ? [
              {
                canary_percent: canary.canaryPercent ?? null,
                canary_bake_time_in_minutes: asText(canary.canaryBakeTimeInMinutes),
              },
            ]
          : [],
      lifecycle_hook: (live.lifecycleHooks ?? []).map(fromHook),
    },
  ];
}

function asText(value: number | undefined): string | null {
  return value === undefined ? null : String(value);
}

function fromHook({
  targetType,
  lifecycleStages,
  timeoutConfiguration: timeout,
}: DeploymentLifecycleHook): State {
  return {
    target_type: targetType ?? null,
    lifecycle_stages: lifecycleStages ?? [],
    timeout_configuration: timeout
      ? [{ timeout_in_minutes: timeout.timeoutInMinutes ?? null, action: timeout.action ?? null }]
      : [],
  };
}

/** No block and alarms that are off are the same. */
export function fromAlarms({ alarms }: DeploymentConfiguration, before: State): State[] {
  const { alarmNames = [], enable = false, rollback = false } = alarms ?? {};
  const declared = block(before, 'alarms') !== undefined;
  return declared || enable ? [{ alarm_names: alarmNames, enable, rollback }] : [];
}
