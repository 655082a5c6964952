import type { IncomingMessage } from 'node:http';

/** A cookie of the load balancer's own that keeps a client where it was. */
export type StickyCookie = 'AWSALB' | 'AWSALBTG';

/** What the client's cookie says: a target's key or a target group's ARN; undefined when there is none or it is too old. */
export function stickyValue(request: IncomingMessage, cookie: StickyCookie, now: number): string | undefined {
  const text = new RegExp(`(?:^|;\\s*)${cookie}=([^;]*)`).exec(request.headers.cookie ?? '')?.[1];
  if (text === undefined) return undefined;
  const [expires, ...value] = Buffer.from(text, 'base64url').toString('utf8').split(' ');
  return Number(expires) > now ? value.join(' ') : undefined;
}

/** The header that sets the cookie, as name and value. */
export function stickyHeader(cookie: StickyCookie, value: string, seconds: number, now: number): string[] {
  const expires = now + seconds * 1000;
  const text = Buffer.from(`${expires} ${value}`).toString('base64url');
  return ['Set-Cookie', `${cookie}=${text}; Expires=${new Date(expires).toUTCString()}; Path=/`];
}
