import { countNext, words } from './ngrams.mjs';

/** `context`: words that a next word is chosen by; `length`: words of a completion at most. */
const SIZES = { small: { context: 1, length: 8 }, large: { context: 2, length: 16 } };
const ALTERNATIVES = 5;
/** A completion begins with a word. */
const MARKS = ['.', ','];

/**
 * A language model in miniature: word n-grams of a corpus, the most frequent continuation first. The same prompt always
 * gets the same answer.
 * @param {'small' | 'large'} size
 * @param {string} corpus
 * @returns {(prompt: string) => string[]} continuations of the prompt, best first, at least one
 */
export function createModel(size, corpus) {
  const { context, length } = SIZES[size];
  const next = countNext(corpus, context);

  return function complete(prompt) {
    const said = words(prompt);
    const firsts = candidates(next, said, context).filter((word) => !MARKS.includes(word));
    const chosen = (firsts.length > 0 ? firsts : next.get('.')).slice(0, ALTERNATIVES);
    return chosen.map((first) => write(next, said, first, { context, length }));
  };
}

/** Continues greedily after `first` until the sentence ends; no pair of words comes twice, so it doesn't go in circles. */
function write(next, said, first, { context, length }) {
  const written = [first];
  const pairs = new Set();
  while (written.length < length && written.at(-1) !== '.') {
    const last = written.at(-1);
    const ranked = candidates(next, [...said, ...written], context);
    const following = ranked.find((word) => !pairs.has(`${last} ${word}`)) ?? '.';
    pairs.add(`${last} ${following}`);
    written.push(following);
  }
  return written.join(' ').replaceAll(/ ([.,])/g, '$1');
}

/** The words that follow the longest known context, most frequent first; those that begin a sentence if none is known. */
function candidates(next, said, context) {
  for (let size = context; size > 0; size -= 1) {
    const known = said.length >= size && next.get(said.slice(-size).join(' '));
    if (known) return known;
  }
  return next.get('.');
}
