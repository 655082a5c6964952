import type { IncomingMessage, ServerResponse } from 'node:http';
import type {
  FixedResponseActionConfig,
  RedirectActionConfig,
} from '@aws-sdk/client-elastic-load-balancing-v2';

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  460: 'Client Closed Request',
  502: 'Bad Gateway',
  503: 'Service Temporarily Unavailable',
  504: 'Gateway Time-out',
};

export interface OwnAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The page that the load balancer answers by itself when no target did. */
export function errorAnswer(status: number): OwnAnswer {
  const title = `${status} ${TITLES[status] ?? ''}`.trim();
  const body = `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n<center><h1>${title}</h1></center>\r\n</body>\r\n</html>\r\n`;
  return { status, headers: { 'content-type': 'text/html' }, body };
}

export function fixedAnswer({
  StatusCode,
  ContentType,
  MessageBody = '',
}: FixedResponseActionConfig): OwnAnswer {
  return {
    status: Number(StatusCode),
    headers: { 'content-type': `${ContentType ?? 'text/plain'}; charset=utf-8` },
    body: MessageBody,
  };
}

/** A redirect; `#{protocol}`, `#{host}`, `#{port}`, `#{path}` and `#{query}` stand for the request's own parts. */
export function redirectAnswer(
  config: RedirectActionConfig,
  request: IncomingMessage,
  listenerPort: number,
): OwnAnswer {
  const [path = '/', query = ''] = (request.url ?? '/').split('?');
  const parts: Readonly<Record<string, string>> = {
    protocol: 'http',
    host: (request.headers.host ?? '127.0.0.1').replace(/:\d+$/, ''),
    port: String(listenerPort),
    path: path.slice(1),
    query,
  };
  const fill = (text: string | undefined): string =>
    (text ?? '').replaceAll(/#\{(protocol|host|port|path|query)\}/g, (_, part: string) => parts[part] ?? '');
  const filled = fill(config.Query);
  const scheme = fill(config.Protocol).toLowerCase();
  const location = `${scheme}://${fill(config.Host)}:${fill(config.Port)}${fill(config.Path)}${filled === '' ? '' : `?${filled}`}`;
  return { status: config.StatusCode === 'HTTP_301' ? 301 : 302, headers: { location }, body: '' };
}

export function send(response: ServerResponse, answer: OwnAnswer, server: boolean): void {
  if (response.headersSent) return;
  response.writeHead(answer.status, {
    ...(server ? { server: 'awselb/2.0' } : {}),
    ...answer.headers,
    'content-length': Buffer.byteLength(answer.body),
  });
  response.end(answer.body);
}
