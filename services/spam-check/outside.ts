import type { OutsideProvider, Ports, Table } from '../../shared/ports.ts';
import { signedHeaders, type Credentials } from '../../shared/sigv4.ts';
import { akismet, bedrock, guard, NoAnswer, type AkismetOptions, type ConverseRequest } from './providers.ts';

/** What the operator has set up. */
export type Keys = {
  akismet?: Pick<AkismetOptions, 'key' | 'endpoint'>;
  bedrock?: {
    modelId: string;
    region: string;
    /** Default: the service's own in the region. */
    endpoint?: string;
    /** An API key of Bedrock, or the credentials of an AWS principal that may `bedrock:InvokeModel`. */
    access: { apiKey: string } | { credentials: () => Credentials };
  };
};

const MOST_KEPT = 1000;

/** All providers; one that is not set up says so when asked. A guard for each site, so that one's bad key opens no other's circuit. */
export function outsideProviders(keys: Keys): NonNullable<Ports['providers']> {
  const made = new Map<string, readonly OutsideProvider[]>();
  const nowMs = Date.now;
  return (site, policy, table) => {
    const { holdAt, rejectAt } = policy;
    const { bedrockPerDay } = policy.providers;
    const key = `${site.id} ${holdAt} ${rejectAt} ${bedrockPerDay}`;
    const known = made.get(key);
    if (known) return known;
    if (made.size >= MOST_KEPT) made.clear();
    const providers = [
      akismet({ key: async () => undefined, ...keys.akismet, siteUrl: site.origins[0] ?? 'http://localhost' }),
      bedrock({
        invoke: (request, signal) => converse(keys.bedrock!, request, signal),
        modelId: keys.bedrock?.modelId,
        band: { from: holdAt, to: rejectAt },
        spend: () => spend(table, site.id, bedrockPerDay, nowMs()),
      }),
    ].map((provider) => guard(provider, { nowMs }) as OutsideProvider);
    made.set(key, providers);
    return providers;
  };
}

const DAY_MS = 86_400_000;

/** Counted in the table: many processes share one budget, and a restart does not renew it. Days are UTC's. */
async function spend(table: Table, site: string, budget: number, nowMs: number): Promise<boolean> {
  const day = Math.floor(nowMs / DAY_MS);
  const expiresAt = ((day + 2) * DAY_MS) / 1000;
  const { n } = await table.increment({ pk: `V#${site}#bedrock`, sk: `D#${day}` }, { n: 1 }, { expiresAt });
  return Number(n) <= budget;
}

/** https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html */
async function converse(
  { region, endpoint = `https://bedrock-runtime.${region}.amazonaws.com`, access }: NonNullable<Keys['bedrock']>,
  { modelId, ...asked }: ConverseRequest,
  signal: AbortSignal,
): Promise<unknown> {
  const url = new URL(`/model/${encodeURIComponent(modelId)}/converse`, endpoint);
  const body = JSON.stringify(asked);
  const type = { 'content-type': 'application/json' };
  const headers =
    'apiKey' in access
      ? { ...type, authorization: `Bearer ${access.apiKey}` }
      : signedHeaders(
          { method: 'POST', url, headers: type, body },
          { service: 'bedrock', region, credentials: access.credentials(), at: new Date() },
        );
  const answer = await fetch(url, { method: 'POST', headers, body, signal, redirect: 'error' });
  if (answer.ok) return answer.json();
  const theirs = answer.status >= 500 || answer.status === 429;
  throw new NoAnswer(theirs ? 'unreachable' : 'refused', `Bedrock answered ${answer.status}`);
}
