const SECRET_NAME = /passw(or)?d|secret|token|api_?key|private_?key|credential/i;

/** Whether the value of a variable or attribute of this name is masked: rather too often than once too few. */
export function isMasked(name: string): boolean {
  return SECRET_NAME.test(name);
}
