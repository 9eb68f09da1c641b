import type { Ports } from '../../shared/ports.ts';
import { outsideProviders } from '../../services/spam-check/outside.ts';
import type { Settings } from './settings.ts';

/**
 * The providers that the settings have keys for. Bedrock is asked with an API key, or signed with AWS credentials.
 *
 * https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys.html
 */
export function localProviders(settings: Settings): NonNullable<Ports['providers']> {
  const { AKISMET_KEY: key, AKISMET_URL: akismetUrl, BEDROCK_KEY: apiKey, BEDROCK_MODEL: modelId } = settings;
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = settings;
  const access = apiKey
    ? { apiKey }
    : accessKeyId && secretAccessKey
      ? { credentials: () => ({ accessKeyId, secretAccessKey, sessionToken: settings.AWS_SESSION_TOKEN }) }
      : undefined;
  return outsideProviders({
    ...(key && { akismet: { key: async () => key, ...(akismetUrl && { endpoint: akismetUrl }) } }),
    ...(access && {
      bedrock: {
        modelId,
        region: settings.AWS_REGION,
        ...(settings.BEDROCK_URL && { endpoint: settings.BEDROCK_URL }),
        access,
      },
    }),
  });
}
