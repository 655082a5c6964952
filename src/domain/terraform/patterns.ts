/** Whether a text is one of the patterns; `*` in a pattern is any text, also none, and everything else is itself. */
export function matchesOne(patterns: readonly string[], text: string): boolean {
  return patterns.some((pattern) => {
    const parts = pattern.split('*').map((part) => part.replaceAll(/[\\^$.|?+()[\]{}]/g, String.raw`\$&`));
    return new RegExp(`^${parts.join('[^]*')}$`).test(text);
  });
}
