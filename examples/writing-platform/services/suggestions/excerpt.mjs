/** Characters of the text's end that the model is shown: what comes before hardly changes how a sentence goes on. */
const WINDOW = 400;

/**
 * The end of a text, cut at a word, with its white space made even.
 * @param {string} text
 */
export function excerpt(text) {
  const even = text.trim().replace(/\s+/g, ' ');
  if (even.length <= WINDOW) return even;
  const end = even.slice(-WINDOW);
  return end.slice(end.indexOf(' ') + 1);
}
