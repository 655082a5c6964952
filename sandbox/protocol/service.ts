/** Who asks, and where: handed to every operation beside its input. */
export interface RequestContext {
  readonly accountId: string;
  readonly region: string;
  readonly requestId: string;
  readonly accessKeyId?: string;
}

/**
 * One operation. Inputs come parsed by the model: timestamps as `Date`, blobs as `Uint8Array`, numbers as
 * numbers, required members present. Outputs are plain objects in the model's member names; a timestamp may be
 * a `Date` or an ISO 8601 string; members that the model doesn't know are left out.
 */
export type Operation<Input = never, Output = unknown> = (
  input: Input,
  request: RequestContext,
) => Output | Promise<Output>;

/** One AWS service: the model that it speaks and a function per operation. */
export interface ServiceDefinition {
  /** A file in sandbox/model, without `.json`. */
  readonly model: string;
  readonly operations: Readonly<Record<string, Operation>>;
}

export interface AwsErrorOptions {
  /** HTTP status; by default what the model says, else 400 (500 for a fault). */
  readonly status?: number;
  /** The error shape's members besides its message. */
  readonly fields?: Readonly<Record<string, unknown>>;
}

/** An error as AWS sends it: `code` is the model's error shape name, or a common error's code. */
export class AwsError extends Error {
  readonly code: string;
  readonly status: number | undefined;
  readonly fields: Readonly<Record<string, unknown>>;

  constructor(code: string, message: string, options: AwsErrorOptions = {}) {
    super(message);
    this.name = 'AwsError';
    this.code = code;
    this.status = options.status;
    this.fields = options.fields ?? {};
  }
}
