/** `text` without user and password of the URLs in it. */
export function redactUrl(text: string): string {
  return text.replaceAll(/([a-z][a-z0-9+.-]*:\/\/)[^/\s@]+@/gi, '$1');
}

/** Whether git takes `repository` for a URL (also `host:path`) and not for a directory. */
export function isUrl(repository: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(repository) || /^[^/]+:(?!\/\/)/.test(repository);
}
