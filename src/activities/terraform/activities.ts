import { ApplicationFailure } from '@temporalio/common';
import { guard } from '../../domain/terraform/guards.ts';
import { normalise } from '../../domain/terraform/normalise.ts';
import { readDrift } from '../../domain/terraform/drift.ts';
import { render, renderMarkdown } from '../../domain/terraform/render.ts';
import type { Check } from '../../domain/verdict.ts';
import { createAwsClients } from '../aws.ts';
import { clearLeftovers, inOperationDirectory } from '../process/operation.ts';
import { activitySupervisor } from '../process/supervisor.ts';
import type { Supervisor } from '../process/supervisor.ts';
import { apply } from './apply/apply.ts';
import { terraform } from './command/command.ts';
import { DEFAULT_CONCURRENCY } from './dependencies.ts';
import type { TerraformDependencies } from './dependencies.ts';
import { leftUnfinished, notStarted } from './apply/not-started.ts';
import { ApplyProgress } from './apply/progress.ts';
import { createSlots } from './slots.ts';
import { demandSaved } from './state/unsaved.ts';
import type { TerraformActivities, TerraformInput } from './types.ts';
import { operationsIn, terraformIn } from './workspace/layout.ts';
import { assertParametersCount } from './workspace/variables.ts';
import { outputs, plan, prepare, rescue } from './workspace/workspace.ts';

/** What goes on when its worker is gone. */
const OUTLIVING = 'apply';

/**
 * For a worker's start: removes what lost workers left, plans with their secrets first of all.
 * @returns directories of operations that another host or container owns
 */
export function clearTerraformLeftovers(dataDirectory: string): Promise<string[]> {
  return clearLeftovers(terraformIn(dataDirectory), OUTLIVING, rescue);
}

/** Terraform, or OpenTofu, run as processes that outlive the worker. */
export function createTerraformActivities(given: TerraformDependencies): TerraformActivities {
  const dependencies = { aws: createAwsClients(), ...given };
  const slots = createSlots(dependencies.concurrency ?? DEFAULT_CONCURRENCY);

  const within = async <T>(
    { target }: TerraformInput,
    work: (directory: string, supervisor: Supervisor) => Promise<T>,
  ) => {
    const supervisor = activitySupervisor(dependencies.onShutdown);
    const options = { outliving: OUTLIVING, supervisor, rescue };
    return slots.within(supervisor.signal, () =>
      inOperationDirectory(operationsIn(dependencies.dataDirectory, target), options, (directory) =>
        work(directory, supervisor),
      ),
    );
  };

  return {
    async checkTerraform(input) {
      const name = 'terraform: the configuration is valid';
      return within(input, async (directory, supervisor) => {
        const workspace = await prepare(dependencies, input, directory, supervisor);
        await terraform(workspace, 'validate', ['-no-color']);
        const where = `${input.terraform.directory} at ${input.release.commit.slice(0, 12)}`;
        return { name, passed: true, detail: `${where} initialises and validates` };
      }).catch((error: unknown) => failedCheck(name, error));
    },

    async planTerraform(input) {
      return within(input, async (directory, supervisor) => {
        const workspace = await prepare(dependencies, input, directory, supervisor);
        await demandSaved(workspace, dependencies.dataDirectory);
        const { json } = await plan(workspace, { lock: false });
        // Here alone: a restore's configuration may be older than the parameter.
        assertParametersCount(input.target, json, workspace.parameters);
        const { key } = dependencies;
        const { origin, secrets } = workspace;
        return {
          changeSet: normalise(json, { origin, secrets, ...(key !== undefined && { key }) }),
          rendering: render(json, secrets),
          markdown: renderMarkdown(json, secrets),
          drift: readDrift(json, secrets),
          refusals: guard(json, { ...input.terraform, secrets }),
        };
      });
    },

    async detectDrift(input) {
      return within(input, async (directory, supervisor) => {
        const workspace = await prepare(dependencies, { ...input, older: true }, directory, supervisor);
        await demandSaved(workspace, dependencies.dataDirectory);
        const { json } = await plan(workspace, { lock: false });
        return readDrift(json, workspace.secrets);
      });
    },

    async applyTerraform(input) {
      return ApplyProgress.during(async (progress) => {
        const certain = input.resuming !== true && progress.notBegun;
        try {
          return await within(input, (directory, supervisor) =>
            apply(dependencies, { ...input, resuming: !certain }, directory, supervisor, progress),
          );
        } catch (error) {
          if (certain && progress.notBegun) throw notStarted(error);
          throw progress.unfinished ? leftUnfinished(error, progress.unfinished) : error;
        }
      });
    },

    async restoreTerraform(input) {
      const back = { ...input, older: true, resuming: true };
      return ApplyProgress.during((progress) =>
        within(input, (directory, supervisor) => apply(dependencies, back, directory, supervisor, progress)),
      );
    },

    async readOutputs(input) {
      return within(input, async (directory, supervisor) =>
        outputs(await prepare(dependencies, input, directory, supervisor)),
      );
    },
  };
}

/** What is wrong with the configuration is the check's answer; what may pass by itself is for the retry policy. */
function failedCheck(name: string, error: unknown): Check {
  if (!(error instanceof ApplicationFailure) || isTransient(error)) throw error;
  return { name, passed: false, detail: error.message };
}

function isTransient({ nonRetryable, details }: ApplicationFailure): boolean {
  const [first] = details ?? [];
  const phase: unknown =
    typeof first === 'object' && first !== null && 'phase' in first ? first.phase : undefined;
  return nonRetryable !== true && phase !== 'validate';
}
