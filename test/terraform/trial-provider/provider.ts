import type { Provider } from '../../../sandbox/terraform-provider/plugin/calls.ts';
import { ProviderError, pathOf } from '../../../sandbox/terraform-provider/plugin/diagnostics.ts';
import type { Resource } from '../../../sandbox/terraform-provider/plugin/resource.ts';
import { number, required, text } from '../../../sandbox/terraform-provider/plugin/value.ts';
import type { State, Value } from '../../../sandbox/terraform-provider/plugin/value.ts';
import { createClient } from './client.ts';
import type { Client } from './client.ts';
import type { Failure, TrialObject } from './server.ts';

/** An object of the trial server, slow to get ready, failing where it is told to. */
const trialObject: Resource<Client> = {
  schema: {
    attributes: {
      id: { type: 'string', computed: true },
      name: { type: 'string', required: true, forceNew: true },
      delay_ms: { type: 'number', optional: true, default: 0, forceNew: true },
      fail: { type: 'string', optional: true, forceNew: true, check: knownFailure },
      value: { type: 'string', optional: true },
    },
  },
  name: (state) => text(state, 'name') ?? '?',
  async create(plan, { clients }) {
    const made = await clients.create({
      name: required(plan, 'name'),
      delay_ms: number(plan, 'delay_ms') ?? 0,
      fail: failureIn(plan),
      value: text(plan, 'value') ?? '',
    });
    return stateOf(made);
  },
  finish: (state, { clients, signal }) => clients.ready(required(state, 'id'), signal),
  async read(state, { clients }) {
    const found = await clients.read(required(state, 'id'));
    return found && stateOf(found);
  },
  update: (prior, plan, { clients }) => clients.change(required(prior, 'id'), text(plan, 'value') ?? ''),
  delete: (state, { clients }) => clients.remove(required(state, 'id')),
  import: (id) => ({ id }),
};

const FAILURES: readonly Failure[] = ['', 'before', 'after', 'unanswered'];

function knownFailure(value: Value): string | undefined {
  return FAILURES.some((each) => each === value) ? undefined : `expected one of ${JSON.stringify(FAILURES)}`;
}

function failureIn(plan: State): Failure {
  return FAILURES.find((each) => each === text(plan, 'fail')) ?? '';
}

function stateOf({ id, name, delay_ms, fail, value }: TrialObject): State {
  return { id, name, delay_ms, fail, value };
}

export const trialProvider: Provider<Client> = {
  schema: { attributes: { address: { type: 'string', required: true } } },
  resources: { trial_object: trialObject },
  configure(config) {
    const address = text(config, 'address');
    if (address === undefined)
      throw new ProviderError('No address', 'Set the address of the trial server.', {
        attribute: pathOf('address'),
      });
    return createClient(address);
  },
};
