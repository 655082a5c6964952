import { expect, test } from '@jest/globals';
import { createSlots } from '../../../src/activities/terraform/slots.ts';
import { inActivity } from './support.ts';

const never = new AbortController().signal;

/** Work that ends when it is told to. */
function aWork(name: string, begun: string[]) {
  const { promise, resolve } = Promise.withResolvers<string>();
  const work = () => {
    begun.push(name);
    return promise;
  };
  return { work, end: () => resolve(name) };
}

/** Lets all that can go on go on. */
const settled = () => new Promise(setImmediate);

test('no more work at the same time than there are places, in the order of its coming', async () => {
  const slots = createSlots(2);
  const begun: string[] = [];
  const works = ['a', 'b', 'c', 'd'].map((name) => aWork(name, begun));
  const done = works.map(({ work }) => slots.within(never, work));
  await settled();
  expect(begun).toEqual(['a', 'b']);
  works[1]?.end();
  await done[1];
  await settled();
  expect(begun).toEqual(['a', 'b', 'c']);
  works[0]?.end();
  works[2]?.end();
  works[3]?.end();
  expect(await Promise.all(done)).toEqual(['a', 'b', 'c', 'd']);
});

test('who comes when a place is given back does not overtake who waits', async () => {
  const slots = createSlots(1);
  const begun: string[] = [];
  const [a, b, c] = [aWork('a', begun), aWork('b', begun), aWork('c', begun)];
  const first = slots.within(never, a.work);
  const waiting = slots.within(never, b.work);
  const late = first.then(() => slots.within(never, c.work));
  for (const { end } of [a, b, c]) end();
  await Promise.all([waiting, late]);
  expect(begun).toEqual(['a', 'b', 'c']);
});

test('work that fails gives its place back', async () => {
  const slots = createSlots(1);
  await expect(slots.within(never, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await slots.within(never, () => Promise.resolve('next'))).toBe('next');
});

test('who gives up waiting does so at once, never works, and leaves the others their turn', async () => {
  const slots = createSlots(1);
  const begun: string[] = [];
  const [a, b, c] = [aWork('a', begun), aWork('b', begun), aWork('c', begun)];
  const patience = new AbortController();
  const first = slots.within(never, a.work);
  const second = slots.within(patience.signal, b.work);
  const third = slots.within(never, c.work);
  patience.abort(new Error('enough'));
  await expect(second).rejects.toThrow('enough');
  for (const { end } of [a, c]) end();
  await Promise.all([first, third]);
  expect(begun).toEqual(['a', 'c']);
});

test('who is not wanted any more when it comes never works', async () => {
  const begun: string[] = [];
  const { work } = aWork('a', begun);
  await expect(createSlots(1).within(AbortSignal.abort(new Error('gone')), work)).rejects.toThrow('gone');
  expect(begun).toEqual([]);
});

test('waiting gives signs of life', async () => {
  const slots = createSlots(1);
  const { work, end } = aWork('a', []);
  const first = slots.within(never, work);
  const activity = inActivity();
  const heartbeat = new Promise((resolve) => activity.on('heartbeat', resolve));
  const second = activity.run(() => slots.within(never, () => Promise.resolve('b')));
  expect(await heartbeat).toContain('waiting');
  end();
  expect(await Promise.all([first, second])).toEqual(['a', 'b']);
});
