/** `sha256:` and 64 hexadecimal digits. */
export type Digest = string;

/** A semantic version bound to one commit. */
export interface Release {
  readonly version: string;
  /** The full commit hash. */
  readonly commit: string;
}

/** What a release is made of: one image digest per service. */
export interface Manifest extends Release {
  readonly images: Readonly<Record<string, Digest>>;
}
