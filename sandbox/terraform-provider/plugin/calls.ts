import { diagnose, pathOf, ProviderError } from './diagnostics.ts';
import type { Diagnostic } from './diagnostics.ts';
import { observe, plan, settle } from './planning.ts';
import type { Resource, Session } from './resource.ts';
import type { Schema } from './schema.ts';
import { isKnown } from './value.ts';
import type { State, Value } from './value.ts';
import { decodeState, encodeSchema, encodeState } from './wire.ts';
import type { DynamicValue } from './wire.ts';

/** A provider: its configuration, and its resources by type. */
export interface Provider<Clients> {
  readonly schema: Schema;
  readonly resources: Readonly<Record<string, Resource<Clients>>>;
  /** @throws ProviderError when it can't work with this configuration */
  configure(config: State): Clients;
}

/** A call's request, with the fields that any of the calls has. */
export interface CallRequest {
  readonly typeName?: string;
  readonly id?: string;
  readonly config?: DynamicValue;
  readonly currentState?: DynamicValue;
  readonly priorState?: DynamicValue;
  readonly plannedState?: DynamicValue;
  readonly rawState?: { readonly json?: Uint8Array };
}

export type Calls = Readonly<Record<string, (request: CallRequest) => object | Promise<object>>>;

/** The protocol's calls, by name, over `provider`. */
export function createCalls<Clients>(provider: Provider<Clients>): Calls {
  const stop = new AbortController();
  let clients: Clients | undefined;
  const session = (): Session<Clients> => {
    if (clients === undefined)
      throw new ProviderError('Provider not configured', 'Terraform sent no configuration');
    return { clients, signal: stop.signal };
  };
  const resourceOf = ({ typeName = '' }: CallRequest): Resource<Clients> => {
    const resource = provider.resources[typeName];
    if (resource === undefined)
      throw new ProviderError('Unknown resource type', `${typeName} isn't one of this provider`);
    return resource;
  };

  return {
    GetProviderSchema: () => ({
      provider: encodeSchema(provider.schema),
      resourceSchemas: Object.fromEntries(
        Object.entries(provider.resources).map(([type, { schema }]) => [type, encodeSchema(schema)]),
      ),
      serverCapabilities: { getProviderSchemaOptional: true },
    }),
    ValidateProviderConfig: ({ config }) => ({
      diagnostics: check(provider.schema, decodeState(provider.schema, config)),
    }),
    ValidateResourceConfig(request) {
      const { schema } = resourceOf(request);
      return { diagnostics: check(schema, decodeState(schema, request.config)) };
    },
    ConfigureProvider: ({ config }) =>
      reporting('configuring the provider', {}, () => {
        clients = provider.configure(decodeState(provider.schema, config) ?? {});
        return {};
      }),
    UpgradeResourceState(request) {
      const { schema } = resourceOf(request);
      const { rawState } = request;
      return {
        upgradedState: encodeState(
          schema,
          decodeState(schema, rawState?.json ? { json: rawState.json } : null),
        ),
      };
    },
    ReadResource(request) {
      const resource = resourceOf(request);
      const { schema } = resource;
      const state = decodeState(schema, request.currentState) ?? {};
      const fallback = { newState: encodeState(schema, state) };
      return reporting(`reading ${title(request, resource, state)}`, fallback, async () => {
        const live = await resource.read(state, session());
        return { newState: encodeState(schema, live === undefined ? null : observe(schema, state, live)) };
      });
    },
    PlanResourceChange(request) {
      const { schema } = resourceOf(request);
      const config = decodeState(schema, request.config);
      if (config === null) return { plannedState: encodeState(schema, null) };
      const { planned, requiresReplace } = plan(schema, decodeState(schema, request.priorState), config);
      return { plannedState: encodeState(schema, planned), requiresReplace };
    },
    ApplyResourceChange: (request) => apply(request, resourceOf(request), session()),
    ImportResourceState(request) {
      const resource = resourceOf(request);
      const { id = '', typeName = '' } = request;
      return reporting(`importing ${typeName} (${id})`, {}, () => ({
        importedResources: [{ typeName, state: encodeState(resource.schema, resource.import(id)) }],
      }));
    },
    StopProvider() {
      stop.abort(new ProviderError('Stopped', 'Terraform was asked to stop'));
      return { Error: '' };
    },
  };
}

async function apply<C>(request: CallRequest, resource: Resource<C>, session: Session<C>): Promise<object> {
  const { schema } = resource;
  const prior = decodeState(schema, request.priorState);
  const planned = decodeState(schema, request.plannedState);
  const named = title(request, resource, planned ?? prior ?? {});
  if (planned === null) {
    return reporting(`deleting ${named}`, { newState: encodeState(schema, prior) }, async () => {
      await resource.delete(prior ?? {}, session);
      return { newState: encodeState(schema, null) };
    });
  }
  if (prior !== null) {
    return reporting(`updating ${named}`, { newState: encodeState(schema, prior) }, async () => {
      await resource.update?.(prior, planned, session);
      const live = await resource.read(settle(schema, planned, prior), session);
      return { newState: encodeState(schema, settle(schema, planned, live)) };
    });
  }
  return reporting(`creating ${named}`, { newState: encodeState(schema, null) }, async () => {
    const found = await resource.create(planned, session);
    const made = settle(schema, planned, found);
    return reporting(`finishing ${named}`, { newState: encodeState(schema, made) }, async () => {
      await resource.finish?.(made, session);
      return { newState: encodeState(schema, settle(schema, planned, await resource.read(made, session))) };
    });
  });
}

function title<C>({ typeName = '' }: CallRequest, resource: Resource<C>, state: State): string {
  return `${typeName} (${resource.name(state)})`;
}

/** Runs `work`; its failure becomes a diagnostic beside `fallback`. */
async function reporting(
  doing: string,
  fallback: object,
  work: () => object | Promise<object>,
): Promise<object> {
  try {
    return await work();
  } catch (error) {
    return { ...fallback, diagnostics: [diagnose(doing, error)] };
  }
}

function check(schema: Schema, state: State | null, path: readonly (string | number)[] = []): Diagnostic[] {
  if (state === null) return [];
  const attributes = Object.entries(schema.attributes).flatMap(([name, attribute]): Diagnostic[] => {
    const value = state[name] ?? null;
    const wrong = value !== null && isKnown(value) ? attribute.check?.(value) : undefined;
    if (wrong === undefined) return [];
    const attributePath = pathOf(...path, name);
    return [{ severity: 1, summary: `Invalid ${name}`, detail: wrong, attribute: attributePath }];
  });
  const nested = Object.entries(schema.blocks ?? {}).flatMap(([name, block]) =>
    (Array.isArray(state[name]) ? (state[name] as readonly Value[]) : []).flatMap((item, i) =>
      // An element of a set has no path of its own in the protocol.
      check(block, item as State, block.nesting === 'list' ? [...path, name, i] : [...path, name]),
    ),
  );
  return [...attributes, ...nested];
}
