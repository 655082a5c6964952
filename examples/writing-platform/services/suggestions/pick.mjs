/** Short forms, which formal writing spells out. */
const SPELLED_OUT = {
  "don't": 'do not',
  "can't": 'cannot',
  "isn't": 'is not',
  "it's": 'it is',
  "won't": 'will not',
};

/**
 * Chooses what the writer sees: no empty ones, no repetitions, in the style that is set.
 * @param {readonly string[]} completions best first
 * @param {{ style: string, limit: number }} options
 * @returns {string[]}
 */
export function pick(completions, { style, limit }) {
  const worded = completions.map((completion) =>
    (style === 'formal' ? formal(completion) : completion).trim(),
  );
  return [...new Set(worded)].filter(Boolean).slice(0, limit);
}

function formal(text) {
  return text.replace(/\b[a-z]+'[a-z]+\b/gi, (word) => SPELLED_OUT[word.toLowerCase()] ?? word);
}
