/**
 * The errors of ECS's "stopped tasks error messages" that keep a task from starting, each with a text that it may have.
 */
export const START_ERRORS: Readonly<Record<string, string>> = {
  CannotPullContainerError:
    'pull image manifest has been retried 5 time(s): failed to resolve ref: unexpected status from HEAD request: 403 Forbidden',
  CannotStartContainerError: 'failed to get container status: context deadline exceeded',
  CannotCreateVolumeError: 'EFS utils command failed to set up EFS volumes successfully',
  CannotInspectContainerError: 'Could not transition to inspecting; timed out after waiting 30s',
  ContainerRuntimeError: 'failed to create container IO set',
  ContainerRuntimeTimeoutError: 'Could not transition to running; timed out after waiting 1m0s',
  InternalError: 'unable to create new container: no space left on device',
  ResourceInitializationError:
    'unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve secret from asm: ' +
    'service call has been retried 5 time(s): context deadline exceeded',
};

/** The stopped reason that is meant: an error's name alone stands for the text above. Undefined for any other error. */
export function stoppedReason(given: string): string | undefined {
  const name = Object.keys(START_ERRORS).find((each) => given === each || given.startsWith(`${each}: `));
  if (name === undefined) return undefined;
  return given === name ? `${name}: ${START_ERRORS[name] ?? ''}` : given;
}
