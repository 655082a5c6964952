/** Milliseconds without a request after which nobody is thought to send any more. */
const QUIET = 400;
/** Milliseconds after which new connections are refused, even if requests still come in. */
const PATIENCE = 3000;
/** Milliseconds after which requests still in progress are cut off. */
const LIMIT = 8000;

/**
 * Ends a server so that a load balancer which is still sending requests loses none: after SIGTERM it keeps serving, each
 * answer closing its connection, until no request has come for a while; only then the port is closed.
 * @param {import('node:http').Server} server
 * @param {{ onDrain: () => void, onEnd: (clean: boolean) => void }} events
 */
export function drainOnSignal(server, { onDrain, onEnd }) {
  let draining = false;
  let active = 0;
  let quiet;

  const close = () => {
    clearTimeout(quiet);
    server.close(() => onEnd(true));
    server.closeIdleConnections();
    setTimeout(() => onEnd(false), LIMIT - PATIENCE).unref();
  };
  const waitForQuiet = () => {
    clearTimeout(quiet);
    if (draining && active === 0 && server.listening) quiet = setTimeout(close, QUIET);
  };

  server.prependListener('request', (request, response) => {
    if (draining) response.setHeader('connection', 'close');
    // Health checks go on for as long as the target is known: they are no reason to stay.
    if (request.url === '/health') return;
    active += 1;
    clearTimeout(quiet);
    response.once('close', () => {
      active -= 1;
      waitForQuiet();
    });
  });

  const begin = () => {
    if (draining) return;
    draining = true;
    onDrain();
    waitForQuiet();
    setTimeout(() => server.listening && close(), PATIENCE).unref();
  };
  process.on('SIGTERM', begin);
  process.on('SIGINT', begin);
  return { isDraining: () => draining };
}
