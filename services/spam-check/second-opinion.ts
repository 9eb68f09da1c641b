import type { Comment } from '../../shared/comment.ts';
import type { Policy } from '../../shared/policy.ts';
import type { OutsideProvider, Ports, ProviderOpinion } from '../../shared/ports.ts';
import { contactsOf } from '../../shared/store/contacts.ts';
import type { Site } from '../../shared/store/sites.ts';
import type { WeighedSignal } from './signals.ts';

/** What a sure answer weighs, in log-odds: much, and never enough to reject an otherwise clean comment by itself. */
const WEIGHT = 3;

/** The providers that a site's policy turned on, of those that the operator has keys for. */
export function providersOf(
  ports: Pick<Ports, 'providers' | 'table'>,
  site: Site,
  policy: Policy,
): readonly OutsideProvider[] {
  if (!policy.providers.akismet && !policy.providers.bedrock) return [];
  return (ports.providers?.(site, policy, ports.table) ?? []).filter(({ name }) => policy.providers[name]);
}

/** Asks all at once. Whoever does not answer in time is named, and the comment is judged without them. */
export async function askOutside(
  ports: Pick<Ports, 'table' | 'vault' | 'clock'>,
  providers: readonly OutsideProvider[],
  comment: Comment,
  text: string,
  score: number,
): Promise<{ signals: WeighedSignal[]; degraded: string[] }> {
  if (providers.length === 0) return { signals: [], degraded: [] };
  const contacts = contactsOf(ports.table, ports.vault, ports.clock);
  const contact = comment.author.contact ? await contacts.get(comment.author.contact) : undefined;
  const subject = {
    text,
    author: comment.author.name,
    ...(comment.author.url && { link: comment.author.url }),
    ...(comment.page && { pageUrl: comment.page.url }),
    ...(contact?.client && { clientIp: ports.vault.open(contact.client) }),
  };
  const opinions = (await Promise.all(providers.map((provider) => provider.opinion(subject, score)))).filter(
    (opinion) => opinion !== undefined,
  );
  return {
    signals: opinions.filter((opinion) => opinion.answered).map(signalOf),
    // A budget that is spent will not be back in a minute: nobody waits for it.
    degraded: opinions.flatMap((opinion) =>
      opinion.answered || opinion.reason === 'budget' ? [] : [opinion.provider],
    ),
  };
}

function signalOf({ provider, spam, confidence }: Extract<ProviderOpinion, { answered: true }>): WeighedSignal {
  const weight = Math.round((spam ? 1 : -1) * WEIGHT * confidence * 100) / 100;
  return {
    name: provider,
    weight,
    words: `${NAMES[provider] ?? provider} ${spam ? 'calls it spam' : 'finds no fault with it'}`,
  };
}

const NAMES: Record<string, string> = { akismet: 'Akismet', bedrock: 'The language model' };
