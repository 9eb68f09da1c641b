import { outsideProviders } from '../../../services/spam-check/outside.ts';
import type { Ports } from '../../../shared/ports.ts';
import { readParameter } from '../adapters/secret.ts';
import { credentialsOf } from '../credentials.ts';
import type { Environment } from '../environment.ts';

/** A key that was made, changed or taken away counts after this long. */
const KEY_MS = 5 * 60_000;

/**
 * Akismet, with a key that is read once a policy asks for it; and the stage's model of Bedrock, as this function's role.
 * Nothing is read or made before.
 */
export function providers({
  region,
  akismetKey,
  akismetUrl,
  bedrockModel,
}: Environment): NonNullable<Ports['providers']> {
  const { env } = process;
  const read = () => readParameter(akismetKey!, credentialsOf(env), { region, endpoint: env.AWS_ENDPOINT_URL_SSM });
  let known: { readAt: number; key: Promise<string | undefined> } | undefined;
  const key = async () => {
    if (!known || Date.now() - known.readAt > KEY_MS) {
      const mine = { readAt: Date.now(), key: read() };
      known = mine;
      // A failure is forgotten, so that the next comment tries again.
      mine.key.catch(() => known === mine && (known = undefined));
    }
    return known.key;
  };
  const endpoint = env.AWS_ENDPOINT_URL_BEDROCK_RUNTIME;
  return outsideProviders({
    akismet: { key, ...(akismetUrl && { endpoint: akismetUrl }) },
    ...(bedrockModel && {
      bedrock: {
        modelId: bedrockModel,
        region,
        ...(endpoint && { endpoint }),
        access: { credentials: () => credentialsOf(env) },
      },
    }),
  });
}
