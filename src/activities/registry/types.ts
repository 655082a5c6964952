import type { RegistryPolicy } from '../../domain/policy.ts';
import type { Manifest, Release } from '../../domain/release.ts';
import type { Check } from '../../domain/verdict.ts';
import type { LockProof } from '../lock.ts';

export type ManifestLookup =
  | { readonly kind: 'found'; readonly manifest: Manifest }
  /** Services without an image tagged with the version or the commit. */
  | { readonly kind: 'not built'; readonly missing: readonly string[]; readonly detail: string }
  /** The version's tag and the commit's tag name different digests. */
  | { readonly kind: 'other commit'; readonly services: readonly string[]; readonly detail: string };

export interface RegistryInput {
  readonly registry: RegistryPolicy;
  readonly services: readonly { readonly name: string; readonly repository: string }[];
}

export interface RegistryActivities {
  /** The release as the registry has it: tag = version, tag = commit, one digest, for every service. */
  findManifest(input: RegistryInput & { release: Release }): Promise<ManifestLookup>;
  /** The scan gate over every image; no scan is not a pass. One check per service. */
  checkScans(input: RegistryInput & { manifest: Manifest }): Promise<Check[]>;
  /** The services whose image has `tag` already: what a run finds it did not add, and its undo leaves. Changes nothing. */
  existingPromotions(input: RegistryInput & { manifest: Manifest; tag: string }): Promise<string[]>;
  /** Puts `tag` (such as `production-1.4.0`) on the release's digests; never moves a tag. @returns services newly tagged */
  promoteImages(
    input: RegistryInput & { manifest: Manifest; tag: string; lock: LockProof },
  ): Promise<string[]>;
  /**
   * Undo of `promoteImages`: takes `tag` off the images of `services` where it stands on the release's digest; the images
   * stay. Give it the services without those of `existingPromotions`. @returns services untagged
   */
  withdrawPromotion(
    input: RegistryInput & { manifest: Manifest; tag: string; lock: LockProof },
  ): Promise<string[]>;
}
