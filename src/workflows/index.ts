/** The workflow types that may be started, and nothing else: each export is one. */
import { ApplicationFailure, workflowInfo } from '@temporalio/workflow';
import { WORKFLOW_TYPES } from '../contract.ts';

export { deploymentPipeline } from './deployment-pipeline.ts';
export {
  deployToDevelopment,
  deployToEnvironment,
  deployToProduction,
  deployToStaging,
} from './deploy-to-environment.ts';
export { detectDrift } from './detect-drift.ts';
export { environment } from './environment.ts';
export { planDeployment } from './plan-deployment.ts';
export { rollbackDeployment } from './rollback-deployment.ts';

/** Takes every type that is not one of ours, so that a typing error fails at once instead of waiting for ever. */
export default async function unknownWorkflowType(): Promise<never> {
  const { workflowType } = workflowInfo();
  throw ApplicationFailure.nonRetryable(
    `There is no workflow type '${workflowType}'. The types are ${WORKFLOW_TYPES.join(', ')}.`,
    'UnknownWorkflowType',
    { found: workflowType, allowed: WORKFLOW_TYPES },
  );
}
