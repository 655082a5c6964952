/** Ends with 0 when the service in this container is healthy, with 1 otherwise. */
const url = `http://127.0.0.1:${process.env.PORT || 8080}/health`;
const healthy = await fetch(url, { signal: AbortSignal.timeout(1500) }).then(
  (response) => response.ok,
  () => false,
);
process.exit(healthy ? 0 : 1);
