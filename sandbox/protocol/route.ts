import { AwsError } from './service.ts';
import type { ServiceDefinition } from './service.ts';
import { loadModel } from './model.ts';
import type { ServiceModel } from './model.ts';

/** A request's head and body, as far as routing needs them. */
export interface RequestHead {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

export interface MountedService {
  readonly model: ServiceModel;
  readonly definition: ServiceDefinition;
}

/** Where a request goes and in which protocol it speaks. */
export type Route =
  | {
      readonly protocol: 'json';
      readonly service: MountedService;
      readonly operation: string;
      readonly version: string;
    }
  | { readonly protocol: 'cbor'; readonly service: MountedService; readonly operation: string }
  | {
      readonly protocol: 'query';
      readonly service: MountedService;
      readonly operation: string;
      readonly fields: URLSearchParams;
    };

export function mount(definition: ServiceDefinition): MountedService {
  return { definition, model: loadModel(definition.model) };
}

/**
 * Finds the service and operation: by `X-Amz-Target` (JSON), by path (CBOR), or by the form's `Action` together
 * with the signature's service or the form's `Version` (Query).
 * @throws AwsError when no mounted service is meant
 */
export function route(services: readonly MountedService[], head: RequestHead, body: Buffer): Route {
  const target = header(head, 'x-amz-target');
  if (target !== undefined) return jsonRoute(services, head, target);
  const path = /^\/service\/([^/]+)\/operation\/([^/?]+)/.exec(head.path);
  if (path) return cborRoute(services, path[1] ?? '', path[2] ?? '');
  return queryRoute(services, head, body);
}

function jsonRoute(services: readonly MountedService[], head: RequestHead, target: string): Route {
  const dot = target.lastIndexOf('.');
  const service = services.find(({ model }) => model.metadata.targetPrefix === target.slice(0, dot));
  if (!service) throw new AwsError('UnknownOperationException', `No service here answers to ${target}`);
  const version = /amz-json-(1\.\d)/.exec(header(head, 'content-type') ?? '')?.[1];
  return {
    protocol: 'json',
    service,
    operation: target.slice(dot + 1),
    version: version ?? service.model.metadata.jsonVersion ?? '1.1',
  };
}

function cborRoute(services: readonly MountedService[], name: string, operation: string): Route {
  const service = services.find(({ model }) => model.metadata.targetPrefix === name);
  if (!service) throw new AwsError('UnknownOperationException', `No service here answers to ${name}`);
  return { protocol: 'cbor', service, operation };
}

function queryRoute(services: readonly MountedService[], head: RequestHead, body: Buffer): Route {
  const inPath = head.path.includes('?') ? head.path.slice(head.path.indexOf('?') + 1) : '';
  const fields = new URLSearchParams(body.length > 0 ? body.toString('utf8') : inPath);
  const action = fields.get('Action');
  if (action === null) throw new AwsError('MissingAction', 'The request names no operation');
  const scope = credentialScope(head)?.service;
  const speaking = services.filter(({ model }) => model.metadata.protocols.includes('query'));
  const service =
    speaking.find(({ model }) => (model.metadata.signingName ?? model.metadata.endpointPrefix) === scope) ??
    speaking.find(({ model }) => model.metadata.apiVersion === fields.get('Version'));
  if (!service)
    throw new AwsError('InvalidAction', `No service here answers to ${action} (${scope ?? 'unsigned'})`);
  return { protocol: 'query', service, operation: action, fields };
}

export interface CredentialScope {
  readonly accessKeyId: string;
  readonly region: string;
  readonly service: string;
}

/** What a version 4 signature says about itself. The signature is not checked. */
export function credentialScope(head: RequestHead): CredentialScope | undefined {
  const match = /Credential=([^/,\s]+)\/\d{8}\/([^/]*)\/([^/]+)\/aws4_request/.exec(
    header(head, 'authorization') ?? '',
  );
  if (!match) return undefined;
  return { accessKeyId: match[1] ?? '', region: match[2] ?? '', service: match[3] ?? '' };
}

export function header(head: RequestHead, name: string): string | undefined {
  const value = head.headers[name];
  return Array.isArray(value) ? value[0] : value;
}
