export interface EndpointConfiguration {
  readonly endpoint?: string;
  readonly region?: string;
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/**
 * An AWS client's configuration for an address that serves AWS's APIs and checks no credentials, such as the rehearsal
 * cloud's; without an address the SDK's own configuration decides.
 */
export function endpointConfiguration(endpoint?: string): EndpointConfiguration {
  if (endpoint === undefined) return {};
  const { AWS_REGION: region = 'eu-west-1' } = process.env;
  return { endpoint, region, credentials: { accessKeyId: 'test', secretAccessKey: 'test' } };
}
