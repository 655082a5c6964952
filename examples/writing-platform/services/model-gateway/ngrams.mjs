/**
 * A text as words and sentence marks, in lower case.
 * @param {string} text
 * @returns {string[]}
 */
export function words(text) {
  const found = text.toLowerCase().match(/[a-z']+|[.,!?]/g) ?? [];
  return found.map((word) => (word === '!' || word === '?' ? '.' : word));
}

/**
 * Counts which word follows each run of 1 to `context` words.
 * @param {string} corpus
 * @param {number} context
 * @returns {Map<string, string[]>} the words that follow, most frequent first, those of equal frequency by alphabet
 */
export function countNext(corpus, context) {
  const all = ['.', ...words(corpus)];
  const counts = new Map();
  for (let end = 1; end < all.length; end += 1) {
    for (let size = 1; size <= Math.min(context, end); size += 1) {
      const before = all.slice(end - size, end).join(' ');
      const following = counts.get(before) ?? new Map();
      following.set(all[end], (following.get(all[end]) ?? 0) + 1);
      counts.set(before, following);
    }
  }
  return new Map([...counts].map(([before, following]) => [before, byFrequency(following)]));
}

function byFrequency(following) {
  return [...following]
    .toSorted(([word, count], [other, otherCount]) => otherCount - count || (word < other ? -1 : 1))
    .map(([word]) => word);
}
