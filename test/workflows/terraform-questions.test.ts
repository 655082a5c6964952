import { describe, expect, test } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import { applyInterrupted, type Interruption } from '../../src/activities/terraform/apply/interruption.ts';
import type { DestroyRefusedDetail } from '../../src/activities/terraform/types.ts';
import { GUARDS } from '../../src/domain/terraform/guards.ts';
import { destroyQuestion, interruptedQuestion } from '../../src/workflows/steps/terraform-questions.ts';

function refused(destroys: readonly string[], others: DestroyRefusedDetail['refusals'] = []): unknown {
  const destroy = { name: GUARDS.destroy, passed: false, detail: 'Refused: it would take away.' };
  const details = { environment: 'production', refusals: [destroy, ...others], destroys };
  return ApplicationFailure.nonRetryable('Nothing was applied.', 'DestroyRefused', details);
}

describe('the question about an apply that was cut', () => {
  const LOCK = { id: '5ad4b0f2', operation: 'OperationTypeApply', who: 'slipway@worker-1', created: 'noon' };
  const FILE = '/data/terraform/errored/1.tfstate';

  function asked(interruption: Partial<Interruption>): string {
    const target = { platform: 'p', environment: 'production', account: '1', region: 'r', cluster: 'c' };
    const cut = {
      how: 'it was killed half-way',
      suspects: [],
      lock: { kind: 'free' },
      ...interruption,
    } as const;
    const failure = applyInterrupted(target, cut);
    return interruptedQuestion(failure, ['retry', 'rollback'], 'retry goes on; rollback goes back').what;
  }

  test('names what may exist, and what each answer does', () => {
    const what = asked({ suspects: ['aws_a.b', 'aws_a.c["x y"]'] });
    expect(what).toMatch(/^it was killed half-way\. /);
    expect(what).toContain('May exist without the state knowing of it: aws_a.b, aws_a.c["x y"].');
    expect(what).toMatch(/\. retry goes on; rollback goes back$/);
  });

  test('says of the state lock whether it was released, and how to release one that is held', () => {
    expect(asked({ lock: { kind: 'released', lock: LOCK } })).toMatch(
      /5ad4b0f2 \(.*worker-1.*\).* is released\./,
    );
    expect(asked({ lock: { kind: 'held', lock: LOCK } })).toContain(
      'type: slipway terraform unlock --environment production --id 5ad4b0f2.',
    );
  });

  test('tells where the state is that could not be saved, and the command that saves it', () => {
    expect(asked({ erroredState: FILE })).toContain(
      `slipway terraform recover --environment production --state ${FILE}.`,
    );
  });

  test('has room for as much as there is to say of them', () => {
    const suspects = Array.from({ length: 5000 }, (_, i) => `module.a_rather_long_name["${i}"].aws_a.b`);
    const what = asked({ suspects, erroredState: FILE, lock: { kind: 'held', lock: LOCK } });
    expect(what).toContain('and 4980 more');
    expect(what).toContain(FILE);
    expect(what).toContain('--id 5ad4b0f2');
    expect(asked({ how: 'it was killed '.repeat(5000) }).length).toBeLessThan(7000);
  });

  test('is asked of a failure that says next to nothing as well', () => {
    const failure = ApplicationFailure.nonRetryable('lost', 'ApplyInterrupted');
    expect(interruptedQuestion(failure, ['retry'], 'retry').what).toBe('lost. retry');
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
