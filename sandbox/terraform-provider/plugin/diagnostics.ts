/** A message to Terraform's user. */
export interface Diagnostic {
  readonly severity: 1 | 2;
  readonly summary: string;
  readonly detail: string;
  readonly attribute?: AttributePath;
}

export interface AttributePath {
  readonly steps: readonly ({ readonly attributeName: string } | { readonly elementKeyInt: number })[];
}

/** @param path attribute names, and positions in a list */
export function pathOf(...path: readonly (string | number)[]): AttributePath {
  return {
    steps: path.map((step) => (typeof step === 'string' ? { attributeName: step } : { elementKeyInt: step })),
  };
}

/** An error that the user can act on: what was tried, on what, and what came back. */
export class ProviderError extends Error {
  readonly summary: string;
  readonly attribute: AttributePath | undefined;

  constructor(summary: string, detail: string, options: { attribute?: AttributePath; cause?: unknown } = {}) {
    super(detail, { cause: options.cause });
    this.name = 'ProviderError';
    this.summary = summary;
    this.attribute = options.attribute;
  }
}

/** @param doing what was tried when `error` came, as in `creating aws_lb (editor)` */
export function diagnose(doing: string, error: unknown): Diagnostic {
  if (error instanceof ProviderError) {
    const { attribute, message, summary } = error;
    return { severity: 1, summary, detail: message, ...(attribute && { attribute }) };
  }
  if (!(error instanceof Error)) return { severity: 1, summary: doing, detail: String(error) };
  const { requestId } = (error as { $metadata?: { requestId?: string } }).$metadata ?? {};
  const detail = `${error.name}: ${error.message}${requestId === undefined ? '' : ` (request ${requestId})`}`;
  return { severity: 1, summary: doing, detail };
}
