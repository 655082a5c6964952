import type { Schema } from './schema.ts';
import type { State } from './value.ts';

/** Made of a configured provider; what resources act with. */
export interface Session<Clients> {
  readonly clients: Clients;
  /** Aborted when Terraform wants the provider to stop. */
  readonly signal: AbortSignal;
}

/** A managed resource type. Each function is called with whole objects of `schema`. */
export interface Resource<Clients> {
  readonly schema: Schema;
  /** How a user calls it in messages, out of its state or plan. */
  name(state: State): string;
  /** Makes it. @returns what later reads find it by; merged into the state even when `finish` fails */
  create(plan: State, session: Session<Clients>): Promise<State>;
  /** What has to be done after `create`. A failure leaves the resource tainted, not lost. */
  finish?(state: State, session: Session<Clients>): Promise<void>;
  /** @returns undefined when it is gone */
  read(state: State, session: Session<Clients>): Promise<State | undefined>;
  /** Left out where every change replaces the resource. */
  update?(prior: State, plan: State, session: Session<Clients>): Promise<void>;
  /** Deletes it; a resource that is gone already is no error. */
  delete(state: State, session: Session<Clients>): Promise<void>;
  /** @returns what `read` needs to find the resource that a user names by `id`. @throws ProviderError */
  import(id: string): State;
}
