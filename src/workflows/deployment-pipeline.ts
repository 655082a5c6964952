import {
  allHandlersFinished,
  ApplicationFailure,
  CancellationScope,
  ChildWorkflowFailure,
  condition,
  defineQuery,
  defineSignal,
  defineUpdate,
  ParentClosePolicy,
  setCurrentDetails,
  setHandler,
  startChild,
  type ChildWorkflowHandle,
} from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { QUERIES, workflowId, type DeployToEnvironmentInput, type PipelineInput } from '../contract.ts';
import type { PipelinePolicy } from '../domain/policy.ts';
import type { Release } from '../domain/release.ts';
import { renderPipeline } from '../domain/render/pipeline.ts';
import { fitted, type DeploymentReport, type PipelineReport } from '../domain/report.ts';
import type { FailedOutcome } from '../domain/outcome.ts';
import { HUMAN_SIGNALS, parsePipelineInput, type HumanSignal } from '../domain/requests.ts';
import type { PipelineStatus } from '../domain/status.ts';
import { activities } from './activities.ts';
import { accepted, beforehand, explain, isCancellation, isOutcome } from './failures.ts';
import { markRun } from './run/progress.ts';
import { starterOf } from './starter.ts';

type Child = ChildWorkflowHandle<(input: DeployToEnvironmentInput) => Promise<DeploymentReport>>;

/** A release from its images through every environment in turn, each as a child workflow. */
export async function deploymentPipeline(input: PipelineInput): Promise<PipelineReport> {
  const post = new Post();
  post.listen();
  const { versionTag, commitHash, through, ...by } = accepted(parsePipelineInput(input));
  const { policy, startedBy } = await beforehand(async () => ({
    policy: await activities('read', 'read the policy').loadPipelinePolicy({ ...(through && { through }) }),
    startedBy: await starterOf(by),
  }));
  const pipeline = new Pipeline(policy, { version: versionTag, commit: commitHash }, startedBy, post);
  return await pipeline.run();
}

class Pipeline {
  readonly #policy: PipelinePolicy;
  readonly #release: Release;
  readonly #startedBy: string;
  readonly #post: Post;
  readonly #environments: PipelineStatus['environments'][number][];
  #outcome: PipelineStatus['outcome'];

  constructor(policy: PipelinePolicy, release: Release, startedBy: string, post: Post) {
    this.#policy = policy;
    this.#release = release;
    this.#startedBy = startedBy;
    this.#post = post;
    this.#environments = policy.environments.map((environment) => ({ environment, state: 'pending' }));
    setHandler(defineQuery<PipelineStatus>(QUERIES.status), () => this.#status());
    markRun({ SlipwayPlatform: policy.platform, SlipwayVersion: release.version });
  }

  async run(): Promise<PipelineReport> {
    this.#show('images');
    await this.#findImages();
    for (const environment of this.#policy.environments) await this.#deploy(environment);
    this.#outcome = 'Completed';
    this.#show('completed', 'Completed');
    await condition(allHandlersFinished);
    return this.#report(
      'Completed',
      `${this.#release.version} is live and verified in ${this.#deployed().join(', ')}.`,
    );
  }

  /** A release without images ends here, before any environment is touched. */
  async #findImages(): Promise<void> {
    const { registry, services } = this.#policy;
    const reads = activities('read', `find ${this.#release.version} in the registry`);
    const lookup = await beforehand(() =>
      reads.findManifest({ registry, services, release: this.#release }),
    ).catch((error: unknown) => {
      if (error instanceof ApplicationFailure && isOutcome(error.type))
        throw this.#failure(error.type, error.message);
      throw error;
    });
    if (lookup.kind === 'found') return;
    const outcome = lookup.kind === 'not built' ? 'ReleaseNotBuilt' : 'PreflightFailed';
    throw this.#failure(outcome, `${lookup.detail} Nothing was changed.`);
  }

  async #deploy(environment: string): Promise<void> {
    const id = workflowId.deploy(this.#policy.platform, environment, this.#release.version);
    try {
      const child = await this.#start(environment, id);
      this.#set(environment, { environment, state: 'running', workflowId: id });
      this.#show(environment);
      await this.#post.deliverTo(child, this.#policy.approvals.includes(environment));
      await child.result();
      this.#set(environment, { environment, state: 'done', workflowId: id });
    } catch (error) {
      this.#set(environment, { environment, state: 'failed', workflowId: id });
      throw await CancellationScope.nonCancellable(async () => this.#failed(environment, id, error));
    } finally {
      await this.#post.deliverTo(undefined, false);
    }
  }

  async #start(environment: string, id: string): Promise<Child> {
    const { version, commit } = this.#release;
    const { platform } = this.#policy;
    const release = { versionTag: version, commitHash: commit, startedBy: this.#startedBy };
    const own = OWN_TYPES[environment];
    return await startChild<(input: DeployToEnvironmentInput) => Promise<DeploymentReport>>(
      own ?? 'deployToEnvironment',
      {
        workflowId: id,
        args: [(own === undefined ? { ...release, environment } : release) as DeployToEnvironmentInput],
        // Terminating or timing out the pipeline must not leave an environment half-changed: the child compensates.
        parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
        cancellationType: 'WAIT_CANCELLATION_COMPLETED',
        staticSummary: `${platform} ${version} → ${environment}`,
        staticDetails: `commit \`${commit}\`, started by ${this.#startedBy}`,
      },
    );
  }

  /** The child's own outcome becomes the pipeline's: type, message and report, unwrapped. */
  #failed(environment: string, id: string, error: unknown): ApplicationFailure {
    if (error instanceof WorkflowExecutionAlreadyStartedError) {
      const message = `${environment} is already being deployed by ${id}: wait for it, or abort it first.`;
      return this.#failure('PreflightFailed', message);
    }
    const failure = error instanceof ChildWorkflowFailure ? error.cause : error;
    if (failure instanceof ApplicationFailure && isOutcome(failure.type)) {
      return this.#failure(failure.type, failure.message, failedChild(environment, failure));
    }
    if (isCancellation(error))
      return this.#failure('Aborted', `The pipeline was cancelled while ${environment} was being deployed.`);
    return this.#failure(
      'RollbackIncomplete',
      `The run of ${environment} was lost (${explain(error)}): look at ${id}.`,
    );
  }

  #failure(outcome: FailedOutcome, message: string, failed?: PipelineReport['failed']): ApplicationFailure {
    const deployed = this.#deployed();
    const stay =
      deployed.length === 0
        ? ''
        : ` ${deployed.join(' and ')} stay${deployed.length === 1 ? 's' : ''} on ${this.#release.version}.`;
    this.#outcome = outcome;
    this.#show('ended', outcome);
    const report = this.#report(outcome, `${message}${stay}`, failed);
    return ApplicationFailure.nonRetryable(report.summary, outcome, report);
  }

  #report(
    outcome: PipelineReport['outcome'],
    summary: string,
    failed?: PipelineReport['failed'],
  ): PipelineReport {
    const { platform } = this.#policy;
    const deployed = this.#deployed();
    return { outcome, platform, release: this.#release, summary, deployed, ...(failed && { failed }) };
  }

  #deployed(): string[] {
    return this.#environments.filter(({ state }) => state === 'done').map(({ environment }) => environment);
  }

  #set(environment: string, to: PipelineStatus['environments'][number]): void {
    this.#environments[this.#policy.environments.indexOf(environment)] = to;
  }

  #status(): PipelineStatus {
    const { platform } = this.#policy;
    const outcome = this.#outcome;
    return {
      platform,
      release: this.#release,
      environments: this.#environments,
      ...(outcome && { outcome }),
    };
  }

  #show(phase: string, outcome?: string): void {
    markRun({ SlipwayPhase: phase, ...(outcome && { SlipwayOutcome: outcome }) });
    setCurrentDetails(renderPipeline(this.#status()));
  }
}

const OWN_TYPES: Readonly<Record<string, string>> = {
  development: 'deployToDevelopment',
  staging: 'deployToStaging',
  production: 'deployToProduction',
};

/** Letters kept for a child that does not exist yet; more are counted by the children themselves. */
const KEPT_LETTERS = 500;

interface Letter {
  readonly signal: HumanSignal;
  readonly payload: unknown;
}

/** Passes human signals on to the child that runs; what comes before it exists is kept for it. */
class Post {
  #child: Child | undefined;
  #asksApproval = false;
  #kept: Letter[] = [];

  listen(): void {
    for (const signal of HUMAN_SIGNALS) {
      setHandler(defineSignal<[unknown]>(signal), (payload) => this.#receive({ signal, payload }));
    }
    for (const signal of ['approve', 'reject'] as const) {
      const refuse = (_payload: unknown): void => {
        throw new Error(this.#askThere(signal));
      };
      setHandler(defineUpdate<void, [unknown]>(signal), refuse, { validator: refuse });
    }
  }

  /** @param asksApproval approvals are kept for a child that asks for them */
  async deliverTo(child: Child | undefined, asksApproval: boolean): Promise<void> {
    this.#child = child;
    this.#asksApproval = asksApproval;
    if (child === undefined) return;
    const [now, later] = partition(this.#kept, ({ signal }) => asksApproval || signal !== 'approve');
    this.#kept = later;
    for (const letter of now) await this.#send(child, letter);
  }

  async #receive(letter: Letter): Promise<void> {
    const child = this.#child;
    if (child !== undefined && (this.#asksApproval || letter.signal !== 'approve'))
      await this.#send(child, letter);
    else if (this.#kept.length < KEPT_LETTERS) this.#kept.push(letter);
  }

  /** A child that has just ended takes nothing any more; the letter is kept for the next. */
  async #send(child: Child, letter: Letter): Promise<void> {
    try {
      // Also while the pipeline is cancelled: its child still takes back, and may ask.
      await CancellationScope.nonCancellable(() => child.signal(letter.signal, letter.payload));
    } catch {
      this.#kept.push(letter);
    }
  }

  #askThere(signal: string): string {
    const id = this.#child?.workflowId;
    return id === undefined
      ? `no environment is being deployed: send the signal ${signal}, it is kept`
      : `ask ${id}: it counts the approvals`;
  }
}

function partition<T>(items: readonly T[], first: (item: T) => boolean): [T[], T[]] {
  return [items.filter(first), items.filter((item) => !first(item))];
}

/** A child that could not begin has no report. */
function failedChild(environment: string, { details }: ApplicationFailure): PipelineReport['failed'] {
  const [report] = (details ?? []) as (DeploymentReport | undefined)[];
  return report?.environment === undefined ? undefined : { environment, report: fitted(report) };
}
