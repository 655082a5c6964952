/** A worker process that is there to be killed: Terraform's activities alone. Its options come as JSON. */
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { createSourceRepository } from '../../../src/activities/source/repository.ts';
import { createTerraformActivities } from '../../../src/activities/terraform/activities.ts';
import type { TerraformDependencies } from '../../../src/activities/terraform/dependencies.ts';

/** What a trial sets otherwise than production does. */
export type Tuning = Partial<TerraformDependencies>;

export interface WorkerOptions {
  /** Of the Temporal server. */
  readonly address: string;
  readonly taskQueue: string;
  readonly upstream: string;
  readonly dataDirectory: string;
  readonly dependencies: Tuning;
}

const options = JSON.parse(process.argv[2] ?? '') as WorkerOptions;
const { address, taskQueue, upstream, dataDirectory, dependencies } = options;
Runtime.install({ logger: new DefaultLogger('WARN') });
const environment = process.env;
const worker = await Worker.create({
  connection: await NativeConnection.connect({ address }),
  taskQueue,
  activities: createTerraformActivities({
    source: createSourceRepository({ repository: upstream, dataDirectory, environment }),
    dataDirectory,
    environment,
    assertHolder: () => Promise.resolve(),
    ...dependencies,
  }),
});
await worker.run();
