import type { OutsideProvider, Ports } from '../../shared/ports.ts';
import { akismet, bedrock, guard, NoAnswer, type ConverseRequest } from '../../services/spam-check/providers.ts';
import type { Settings } from './settings.ts';

/**
 * The providers that have keys. One guard for each site, so that one site's bad key opens no other's circuit.
 *
 * Bedrock is called with an API key as bearer token. https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys.html
 */
export function outsideProviders(
  settings: Pick<Settings, 'AKISMET_KEY' | 'AKISMET_URL' | 'BEDROCK_KEY' | 'BEDROCK_MODEL' | 'BEDROCK_URL'>,
): NonNullable<Ports['providers']> {
  const { AKISMET_KEY: akismetKey, AKISMET_URL: endpoint, BEDROCK_KEY: bedrockKey } = settings;
  const made = new Map<string, readonly OutsideProvider[]>();
  const nowMs = Date.now;
  return (site, policy) => {
    const key = `${site.id} ${policy.holdAt} ${policy.rejectAt} ${policy.providers.bedrockPerDay}`;
    let providers = made.get(key);
    if (!providers) {
      if (made.size > 1000) made.clear();
      providers = [
        ...(akismetKey
          ? [
              guard(
                akismet({
                  key: akismetKey,
                  siteUrl: site.origins[0] ?? 'http://localhost',
                  ...(endpoint && { endpoint }),
                }),
                { nowMs },
              ) as OutsideProvider,
            ]
          : []),
        ...(bedrockKey
          ? [
              guard(
                bedrock({
                  invoke: (request, signal) => converse(settings.BEDROCK_URL, bedrockKey, request, signal),
                  modelId: settings.BEDROCK_MODEL,
                  band: { from: policy.holdAt, to: policy.rejectAt },
                  dailyBudget: policy.providers.bedrockPerDay,
                  nowMs,
                }),
                { nowMs },
              ) as OutsideProvider,
            ]
          : []),
      ];
      made.set(key, providers);
    }
    return providers;
  };
}

async function converse(
  base: string,
  key: string,
  { modelId, ...body }: ConverseRequest,
  signal: AbortSignal,
): Promise<unknown> {
  const answer = await fetch(`${base}/model/${encodeURIComponent(modelId)}/converse`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: JSON.stringify(body),
    signal,
  });
  if (!answer.ok) throw new NoAnswer('refused', `Bedrock answered ${answer.status}`);
  return answer.json();
}
