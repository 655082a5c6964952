import { describe, expect, test } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import type { ApplyInterruptedDetail, DestroyRefusedDetail } from '../../src/activities/terraform/types.ts';
import { GUARDS } from '../../src/domain/terraform/guards.ts';
import { destroyQuestion, interruptedQuestion } from '../../src/workflows/steps/terraform-questions.ts';

const LOCK = {
  id: '5ad4b0f2-1111-2222-3333-444455556666',
  who: 'slipway@worker-1',
  operation: 'OperationTypeApply',
  created: '2026-11-02 10:00:00 UTC',
};

function interrupted(message: string, detail: Partial<ApplyInterruptedDetail> = {}): string {
  const details = { environment: 'production', suspects: [], ...detail };
  const failure = ApplicationFailure.nonRetryable(message, 'ApplyInterrupted', details);
  return interruptedQuestion(failure, 'production', ['retry'], 'retry goes on').what;
}

function refused(destroys: readonly string[], others: DestroyRefusedDetail['refusals'] = []): unknown {
  const destroy = { name: GUARDS.destroy, passed: false, detail: 'Refused: it would take away.' };
  const details = { environment: 'production', refusals: [destroy, ...others], destroys };
  return ApplicationFailure.nonRetryable('Nothing was applied.', 'DestroyRefused', details);
}

describe('the question about an apply that was cut', () => {
  test('names what may exist, and what each answer does', () => {
    expect(interrupted('killed', { suspects: ['aws_a.b', 'aws_a.c["x y"]'] })).toBe(
      'killed. May exist without the state knowing of it: aws_a.b, aws_a.c["x y"]. retry goes on',
    );
  });

  test('does not repeat what the failure says itself', () => {
    const said = `killed. Suspects: aws_a.b. The lock ${LOCK.id} is held.`;
    const detail = { suspects: ['aws_a.b'], stateLock: { ...LOCK, released: false } };
    expect(interrupted(said, detail)).toBe(`${said} retry goes on`);
  });

  test('takes no address for another that begins or ends as it does', () => {
    const said = 'killed. Suspects: aws_a.bc, module.m.aws_a.b, aws_a.b["x"], aws_a.b.d.';
    expect(interrupted(said, { suspects: ['aws_a.b'] })).toContain('knowing of it: aws_a.b. retry');
  });

  test('says of the state lock whether it was released, and how to release one that is held', () => {
    expect(interrupted('killed', { stateLock: { ...LOCK, released: true } })).toContain(
      `The state lock ${LOCK.id} (OperationTypeApply, slipway@worker-1, 2026-11-02 10:00:00 UTC) was the dead apply's own and is released.`,
    );
    expect(interrupted('killed', { stateLock: { ...LOCK, released: false } })).toContain(
      `type: terraform force-unlock ${LOCK.id}.`,
    );
  });

  test('tells where the state is that could not be saved, and the command that saves it', () => {
    expect(interrupted('not saved', { erroredState: '/data/errored/1.tfstate' })).toContain(
      'slipway terraform recover --environment production --state /data/errored/1.tfstate',
    );
  });

  test('stays readable however much there is to say', () => {
    const suspects = Array.from({ length: 5000 }, (_, i) => `aws_a.b[${i}]`);
    const what = interrupted('killed '.repeat(5000), { suspects });
    expect(what.length).toBeLessThan(10_000);
    expect(what).toContain('aws_a.b[19] and 4980 more');
    expect(what).toMatch(/retry goes on$/);
  });

  test('is asked of a failure without details as well', () => {
    const failure = ApplicationFailure.nonRetryable('lost', 'ApplyInterrupted', 'what', { suspects: 7 });
    expect(interruptedQuestion(failure, 'production', ['retry'], 'retry').what).toBe('lost. retry');
  });
});

describe('the question about what going back would destroy', () => {
  test('is for exactly what it names', () => {
    const { what, actions, destroys } = destroyQuestion(refused(['aws_a.b', 'aws_a.c']), '1.3.0');
    expect(what).toContain('would destroy 2 resources: aws_a.b, aws_a.c. rollback destroys exactly this');
    expect(actions).toEqual(['rollback', 'retry', 'continue']);
    expect(destroys).toEqual(['aws_a.b', 'aws_a.c']);
  });

  test.each([
    ['too many to name', Array.from({ length: 201 }, (_, i) => `aws_a.b[${i}]`)],
    ['too long to name', Array.from({ length: 200 }, (_, i) => `${'long_'.repeat(10)}.b[${i}]`)],
    ['not named', []],
  ])('takes no consent to what is %s', (_why, addresses) => {
    const { what, actions, destroys } = destroyQuestion(refused(addresses), '1.3.0');
    expect(what).toContain('more than can be named here: Nothing was applied.');
    expect(what.length).toBeLessThan(10_000);
    expect(actions).toEqual(['retry', 'continue']);
    expect(destroys).toEqual([]);
  });

  test('takes no consent to a plan that is refused for another reason as well', () => {
    const deferred = { name: GUARDS.deferred, passed: false, detail: 'Refused: it would put off.' };
    const { what, actions, destroys } = destroyQuestion(refused(['aws_a.b'], [deferred]), '1.3.0');
    expect(what).toContain('aws_a.b; and it is refused for more than that: Refused: it would put off.');
    expect(actions).toEqual(['retry', 'continue']);
    expect(destroys).toEqual([]);
  });
});
