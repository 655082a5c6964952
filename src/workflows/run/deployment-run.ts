import {
  allHandlersFinished,
  ApplicationFailure,
  CancellationScope,
  condition,
  workflowInfo,
} from '@temporalio/workflow';
import type { CanaryStep } from '../../domain/canary.ts';
import type { DeploymentRecord } from '../../domain/ledger.ts';
import type { FailedOutcome, Outcome } from '../../domain/outcome.ts';
import type { EnvironmentPolicy, SignalPolicy } from '../../domain/policy.ts';
import type { Manifest, Release } from '../../domain/release.ts';
import { plannedInfrastructure } from '../../domain/planned-infrastructure.ts';
import { fitted, summarise, type DeploymentReport, type UndoneStep } from '../../domain/report.ts';
import { firstOf } from '../../domain/render/infrastructure.ts';
import { beyondRecall } from '../../domain/terraform/recall.ts';
import type { RunStatus } from '../../domain/status.ts';
import type { Check, MetricJudgement } from '../../domain/verdict.ts';
import { Ended, explain, failureType, isCancellation } from '../failures.ts';
import { answerQuestions } from './answers.ts';
import { Ballot } from './ballot.ts';
import { EnvironmentLock } from './environment-lock.ts';
import type { Inbox } from './inbox.ts';
import { cancelledWhen } from './interruptible.ts';
import { People } from './people.ts';
import { markRun, Progress } from './progress.ts';
import { Saga, type Undo } from './saga.ts';
import { now } from './time.ts';

/** Characters of a reason that the ledger keeps; the run's own report has all of it. */
const LEDGER_REASON = 2000;

/** Lines of what a release took away for good. */
const LEDGER_LOST = 10;

/** The server takes 2 MB in a failure's details: with more a flooded run could never end. */
const REPORT_BYTES = 256 * 1024;

interface Start {
  readonly policy: EnvironmentPolicy;
  readonly release: Release;
  readonly startedBy: string;
  readonly inbox: Inbox;
}

/** One run that changes one environment: its steps, what people say to it, what it must take back, and how it ended. */
export class DeploymentRun {
  readonly policy: EnvironmentPolicy;
  readonly release: Release;
  readonly startedBy: string;
  readonly inbox: Inbox;
  readonly lock: EnvironmentLock;
  readonly ballot: Ballot;
  readonly people: People;
  readonly startedAt = now();
  readonly checks: Check[] = [];
  readonly metrics: MetricJudgement[] = [];
  /** Every canary step of every service, in order. */
  readonly canary: CanaryStep[] = [];
  /** Canaries that wait at a pause. */
  paused: RunStatus['paused'];
  /** What served before this run. */
  previous: DeploymentRecord | undefined;
  /** What serves by now, where the outcome does not tell: else what served before, or the run's release once it is completed. */
  serving: Release | undefined;
  /** What the run's release is made of, once it is known. */
  manifest: Manifest | undefined;
  /** Tasks of the services ran before this run, whether or not Slipway had deployed them. */
  somethingRan = false;
  /** What could not be done after the release was live and verified: told, and no reason to go back. */
  readonly remarks: string[] = [];
  /** Set when the run's release is live and verified. */
  record: DeploymentRecord | undefined;
  readonly #saga = new Saga();
  readonly #progress: Progress;
  #undone: readonly UndoneStep[] = [];
  #outcome: Outcome | undefined;
  #oneWay = false;

  constructor({ policy, release, startedBy, inbox }: Start) {
    this.policy = policy;
    this.release = release;
    this.startedBy = startedBy;
    this.inbox = inbox;
    this.lock = new EnvironmentLock(policy.target);
    this.ballot = new Ballot(policy.approval, startedBy, inbox);
    this.#progress = new Progress(() => this.#view());
    const { target } = policy;
    this.people = new People({ target, version: release.version, inbox, progress: this.#progress });
    const { platform, environment } = policy.target;
    markRun({ SlipwayPlatform: platform, SlipwayEnvironment: environment, SlipwayVersion: release.version });
    inbox.open(signalPolicy(policy));
    answerQuestions({ policy, inbox, ballot: this.ballot, progress: this.#progress });
  }

  /**
   * Does one step. Its undo is registered before `work` begins, so that a step cut short is taken back as well.
   * @param detail what people read of the result
   */
  async step<T>(
    name: string,
    work: () => Promise<T>,
    { undo, detail }: { undo?: Undo; detail?: (result: T) => string } = {},
  ): Promise<T> {
    if (undo !== undefined) this.#saga.register(name, undo);
    const index = this.#progress.begin(name);
    try {
      const result = await work();
      this.#progress.end(index, 'done', detail?.(result));
      return result;
    } catch (error) {
      this.#progress.end(index, 'failed', isCancellation(error) ? 'stopped' : explain(error));
      throw error;
    }
  }

  /** From now on nothing is taken back: a rollback that stops in the middle is incomplete, whatever stopped it. */
  goOneWay(): void {
    this.#oneWay = true;
  }

  note(detail: string): void {
    this.#progress.note(detail);
  }

  /** Keeps what is known of a canary step by now, and shows it. */
  sawCanary(step: CanaryStep): void {
    const at = this.canary.findIndex(
      ({ service, startedAt }) => service === step.service && startedAt === step.startedAt,
    );
    this.canary.splice(at < 0 ? this.canary.length : at, at < 0 ? 0 : 1, step);
    this.show();
  }

  show(): void {
    this.#progress.show();
  }

  /**
   * Runs `main` until it ends, a person aborts it, or it is cancelled; then completes or puts everything back.
   * @throws ApplicationFailure of the outcome's type, with the report as details, unless the release is live and verified
   */
  async conduct(main: () => Promise<void>): Promise<DeploymentReport> {
    try {
      await this.#untilAborted(main);
      this.#outcome = 'Completed';
      return await CancellationScope.nonCancellable(() => this.#complete());
    } catch (error) {
      if (this.#outcome === 'Completed') throw error;
      const cancelled = CancellationScope.current().consideredCancelled;
      throw await CancellationScope.nonCancellable(() => this.#fail(error, cancelled));
    }
  }

  /** Runs `main`, which changes nothing and holds no lock, and hands back what it found. @throws as `conduct` does */
  async look<T>(main: () => Promise<T>): Promise<T> {
    try {
      return await this.#untilAborted(main);
    } catch (error) {
      const cancelled = CancellationScope.current().consideredCancelled;
      throw await CancellationScope.nonCancellable(() => this.#fail(error, cancelled));
    }
  }

  /** A cancellation of the run reaches `main` as well: it ends as an abort does. */
  async #untilAborted<T>(main: () => Promise<T>): Promise<T> {
    const { inbox } = this;
    return await cancelledWhen(() => inbox.abort !== undefined || inbox.rejection !== undefined, main);
  }

  async #complete(): Promise<DeploymentReport> {
    const released = await this.lock.release({
      ...(this.record && { record: this.record, current: true }),
      keep: this.policy.keepReleases,
    });
    if (released?.accepted === false)
      this.remarks.push(`the ledger did not take the record: ${released.reason}`);
    const report = this.#report('Completed', this.remarks.join('; ') || undefined);
    await this.#close(report);
    return report;
  }

  /** @param cancelled whether the run itself was, whatever error the step under way ended with */
  async #fail(error: unknown, cancelled: boolean): Promise<ApplicationFailure> {
    // Judged now: what people say while changes are taken back is too late to be the reason.
    const reason = this.#reason(error, cancelled);
    const ended = this.#outcomeOf(error, cancelled);
    this.paused = undefined;
    this.inbox.canaryOver('the release is taken back');
    if (this.#saga.begun) {
      const index = this.#progress.begin('rollback');
      this.#undone = await this.#saga.compensate(explain, (step, failure) =>
        this.#askAboutUndo(step, failure),
      );
      this.#progress.end(index, this.#undoneAll() ? 'done' : 'failed', `${this.#undone.length} steps`);
    }
    const outcome = this.#oneWay || !this.#undoneAll() ? 'RollbackIncomplete' : ended;
    this.#outcome = outcome;
    await this.#releaseAfterFailure(outcome, reason);
    const report = this.#report(outcome, reason);
    await this.#close(report);
    return ApplicationFailure.nonRetryable(report.summary, outcome, report);
  }

  async #releaseAfterFailure(outcome: FailedOutcome, reason: string): Promise<void> {
    const why = reason.slice(0, LEDGER_REASON);
    const dirty = outcome === 'RollbackIncomplete' ? { dirty: `a rollback is incomplete: ${why}` } : {};
    const record = this.#saga.begun || this.#oneWay ? this.#failedRecord(outcome, why) : undefined;
    await this.lock.release({ ...dirty, ...(record && { record }), keep: this.policy.keepReleases });
  }

  #failedRecord(outcome: FailedOutcome, reason: string): DeploymentRecord | undefined {
    if (this.manifest === undefined) return undefined;
    return {
      ...this.recordOf(this.manifest),
      taskDefinitions: {},
      desiredCounts: {},
      settings: [],
      outcome,
      reason,
    };
  }

  /** What every ledger record of this run says. */
  recordOf(
    manifest: DeploymentRecord['manifest'],
  ): Omit<DeploymentRecord, 'taskDefinitions' | 'desiredCounts' | 'settings' | 'outcome'> {
    const { workflowId, runId } = workflowInfo();
    const evidence = this.ballot.digest;
    const changes = this.ballot.evidence?.changeSet;
    const lost = changes ? beyondRecall(changes) : [];
    const { startedBy, startedAt } = this;
    const approvals = this.ballot.tally()?.judged.filter(({ counts }) => counts) ?? [];
    return {
      manifest,
      approvals,
      startedBy,
      workflowId,
      runId,
      startedAt,
      endedAt: now(),
      ...(changes && { terraformOrigin: changes.origin, beyondRecall: firstOf(lost, LEDGER_LOST) }),
      ...(evidence && { evidence }),
    };
  }

  #undoneAll(): boolean {
    return this.#undone.every(({ outcome }) => outcome !== 'failed' && outcome !== 'not possible');
  }

  #outcomeOf(error: unknown, cancelled: boolean): FailedOutcome {
    const { abort, rejection } = this.inbox;
    // Whatever error a step ended with on the way: a person had stopped the run.
    if (abort !== undefined) return 'Aborted';
    if (rejection !== undefined) return 'Rejected';
    if (cancelled || isCancellation(error)) return 'Aborted';
    if (error instanceof Ended) {
      return error.outcome === 'RolledBack' && !this.#saga.begun ? 'PreflightFailed' : error.outcome;
    }
    if (failureType(error) === 'InvalidInput') return 'InvalidInput';
    return this.#saga.begun ? 'RolledBack' : 'PreflightFailed';
  }

  #reason(error: unknown, cancelled: boolean): string {
    const { abort, rejection } = this.inbox;
    const found = isCancellation(error) ? undefined : explain(error);
    if (abort !== undefined) return also(`aborted by ${abort.by}: ${abort.reason}`, found);
    if (rejection !== undefined) return also(`rejected by ${rejection.by}: ${rejection.reason}`, found);
    return cancelled || found === undefined ? also('the run was cancelled', found) : found;
  }

  /** A compensation that keeps failing keeps the lock, pages, and asks; it is never swallowed. */
  async #askAboutUndo(step: string, error: unknown): Promise<{ action: 'retry' | 'skip'; by: string }> {
    const what = `taking back '${step}' keeps failing: ${explain(error)}`;
    const { action, by } = await this.people.decide(what, ['retry', 'continue']);
    return { action: action === 'retry' ? 'retry' : 'skip', by };
  }

  async #close(report: DeploymentReport): Promise<void> {
    markRun({ SlipwayOutcome: report.outcome });
    await this.people.notify(report.outcome === 'Completed' ? 'completed' : 'failed', report.summary);
    this.#progress.show();
    await condition(allHandlersFinished);
  }

  #report(outcome: Outcome, reason: string | undefined): DeploymentReport {
    const { platform, environment } = this.policy.target;
    const { digest: evidence, evidence: agreed } = this.ballot;
    const infrastructure = agreed && plannedInfrastructure(agreed);
    const previous = this.previous?.manifest;
    const serving = outcome === 'Completed' ? this.release : (this.serving ?? previous);
    const report = {
      outcome,
      platform,
      environment,
      release: this.release,
      startedBy: this.startedBy,
      startedAt: this.startedAt,
      endedAt: now(),
      approvals: this.ballot.tally()?.judged ?? [],
      ignored: this.inbox.ignored,
      steps: this.#progress.steps,
      checks: this.checks,
      metrics: this.metrics,
      canary: this.canary,
      ...(infrastructure && { infrastructure }),
      undone: this.#undone,
      firstDeployment: !this.somethingRan,
      ...(previous && { previous: { version: previous.version, commit: previous.commit } }),
      ...(serving && { serving: { version: serving.version, commit: serving.commit } }),
      ...(reason && { reason }),
      ...(evidence && { evidence }),
    };
    return fitted({ ...report, summary: summarise(report) }, REPORT_BYTES);
  }

  #view(): Omit<RunStatus, 'phase' | 'steps' | 'waiting'> {
    const { platform, environment } = this.policy.target;
    const evidence = this.ballot.digest;
    const approvals = this.ballot.tally();
    return {
      platform,
      environment,
      release: this.release,
      ignored: this.inbox.ignored,
      canary: this.canary,
      ...(this.paused && { paused: this.paused }),
      ...(this.inbox.held && { held: this.inbox.held }),
      ...(evidence && { evidence }),
      ...(approvals && { approvals }),
      ...(this.#outcome && { outcome: this.#outcome }),
    };
  }
}

/** The manual test's own group is who may answer it. */
function signalPolicy({ signals, verification }: EnvironmentPolicy): SignalPolicy {
  const group = verification.manualTest?.group;
  return group === undefined
    ? signals
    : { ...signals, allowed: { ...signals.allowed, recordManualTest: [group] } };
}

function also(reason: string, found: string | undefined): string {
  return found === undefined ? reason : `${reason}; the step then under way ended with: ${found}`;
}
