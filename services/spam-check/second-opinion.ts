import type { Comment } from '../../shared/comment.ts';
import type { Policy } from '../../shared/policy.ts';
import type { OutsideProvider, Ports, ProviderOpinion } from '../../shared/ports.ts';
import { contactsOf } from '../../shared/store/contacts.ts';
import type { Site } from '../../shared/store/sites.ts';
import type { WeighedSignal } from './signals.ts';

/** What a sure answer weighs, in log-odds: much, and never enough to reject an otherwise clean comment by itself. */
const WEIGHT = 3;

/** The providers that a site's policy turned on. */
export function providersOf(
  ports: Pick<Ports, 'providers' | 'table'>,
  site: Site,
  policy: Policy,
): readonly OutsideProvider[] {
  if (!policy.providers.akismet && !policy.providers.bedrock) return [];
  return (ports.providers?.(site, policy, ports.table) ?? []).filter(({ name }) => policy.providers[name]);
}

/** Asks all at once. Whoever does not answer is named, in words too, and the comment is judged without them. */
export async function askOutside(
  ports: Pick<Ports, 'table' | 'vault' | 'clock'>,
  providers: readonly OutsideProvider[],
  comment: Comment,
  text: string,
  score: number,
): Promise<{ signals: WeighedSignal[]; degraded: string[]; unheard: string[] }> {
  if (providers.length === 0) return { signals: [], degraded: [], unheard: [] };
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
  // A budget that is spent will not be back in a minute: nobody waits for it.
  const silent = opinions.filter((opinion) => !opinion.answered).filter(({ reason }) => reason !== 'budget');
  const named = (unconfigured: boolean) =>
    silent.filter(({ reason }) => (reason === 'unconfigured') === unconfigured).map(({ provider }) => provider);
  return {
    signals: opinions.filter((opinion) => opinion.answered || silent.includes(opinion)).map(signalOf),
    degraded: named(false),
    unheard: named(true),
  };
}

/** Weighs nothing where there is no answer. */
function signalOf(opinion: ProviderOpinion): WeighedSignal {
  const { provider, answered } = opinion;
  const who = NAMES[provider] ?? provider;
  if (!answered) {
    const why = opinion.reason === 'unconfigured' ? 'was not asked: it is not set up here' : 'did not answer';
    return { name: provider, weight: 0, words: `${who} ${why}` };
  }
  const { spam, confidence } = opinion;
  const weight = Math.round((spam ? 1 : -1) * WEIGHT * confidence * 100) / 100;
  return { name: provider, weight, words: `${who} ${spam ? 'calls it spam' : 'finds no fault with it'}` };
}

const NAMES: Record<string, string> = { akismet: 'Akismet', bedrock: 'The language model' };
