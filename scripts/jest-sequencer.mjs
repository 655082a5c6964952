import Sequencer from '@jest/test-sequencer';

const slowest = ['/test/e2e/', '/test/terraform/', '/test/workflows/', '/test/activities/'];

/** Starts what takes longest first, on a fresh clone too, where jest has no durations to go by: no core idles at the end. */
export default class LongestFirst extends Sequencer {
  /** @param {Iterable<{path: string}>} tests */
  sort(tests) {
    const rank = ({ path }) => {
      const index = slowest.findIndex((folder) => path.includes(folder));
      return index === -1 ? slowest.length : index;
    };
    return super.sort(tests).toSorted((a, b) => rank(a) - rank(b));
  }
}
