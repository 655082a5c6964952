import { isGrpcServiceError } from '@temporalio/client';

/** What counts of gRPC's own error. */
interface ServerError {
  readonly code: number;
  readonly details: string;
  readonly message: string;
}

/** The server's own error, however deep the client has wrapped it. */
export function serverError(error: unknown): ServerError | undefined {
  if (isGrpcServiceError(error)) return error;
  return error instanceof Error && error.cause !== undefined ? serverError(error.cause) : undefined;
}

/** What the server said. */
export function saidBy({ details, message }: ServerError): string {
  return details || message;
}
