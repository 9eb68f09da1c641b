import { useEffect, useState } from 'preact/hooks';
import type { Offer } from '../../moderation/offers.ts';
import { call, Problem } from '../api.ts';
import { Key, whyOf } from '../parts.tsx';
import { t, type Word } from '../words.ts';

const KINDS: Record<Offer['kind'], Word> = {
  text: 'offerText',
  host: 'offerHost',
  network: 'offerNetwork',
  word: 'offerWord',
};
const ASK_AFTER_MS = 700;
const DAYS = 30;
const DAY_MS = 86_400_000;
/** Many people share a network, and a word is in honest texts too: a person looks at those. */
const ACTION: Record<Offer['kind'], 'hold' | 'reject'> = {
  text: 'reject',
  host: 'reject',
  network: 'hold',
  word: 'hold',
};

const nameOf = ({ kind, value }: Offer) => `${kind} ${value}`;

export type Offered = { offer: Offer | undefined; add: () => Promise<string | undefined>; dismiss: () => void };

/**
 * The rule that a site's last rejections suggest, asked for once moderators have rejected something.
 *
 * @param rejections how many were rejected in this window: each asks anew
 */
export function useOffer(site: string | undefined, rejections: number): Offered {
  const [found, setFound] = useState<{ site: string; offers: readonly Offer[] } | undefined>();
  const [refused, setRefused] = useState<ReadonlySet<string>>(new Set());
  useEffect(() => {
    if (!site || rejections === 0) return undefined;
    const timer = setTimeout(() => {
      call<{ offers: Offer[] }>('GET', `/v1/moderation/sites/${site}/offers`, { quiet: true })
        .then(({ offers }) => setFound({ site, offers }))
        .catch(() => undefined);
    }, ASK_AFTER_MS);
    return () => clearTimeout(timer);
  }, [site, rejections]);
  const offer = found?.offers.find((one) => !refused.has(nameOf(one)));
  const dismiss = () => offer && setRefused(new Set([...refused, nameOf(offer)]));
  return {
    offer,
    dismiss,
    /** @returns what to tell the moderator */
    async add() {
      if (!offer || !found) return undefined;
      const { kind, value, alike } = offer;
      const what = wordsOf(offer);
      try {
        await call('POST', '/v1/moderation/bans', {
          body: {
            site: found.site,
            kind,
            ...(kind === 'host' || kind === 'word' ? { value } : { comment: alike[0] }),
            action: ACTION[kind],
            reason: t('offerReason'),
            expiresAt: Date.now() + DAYS * DAY_MS,
          },
        });
        dismiss();
        return t('offerAdded', { what });
      } catch (error) {
        return error instanceof Problem ? t('notDone', { why: whyOf(error) }) : String(error);
      }
    },
  };
}

const wordsOf = ({ kind, value }: Offer) => t(KINDS[kind], { value });

/** Says what the rule would have done, before anybody adds it. */
export function OfferBar({
  offered: { offer, dismiss },
  onAdd,
  shortcut,
}: {
  offered: Offered;
  onAdd: () => void;
  shortcut: string | undefined;
}) {
  if (!offer) return null;
  return (
    <div class="offer">
      <p>
        {t('offer', { n: offer.alike.length, what: wordsOf(offer) })}{' '}
        {t(ACTION[offer.kind] === 'reject' ? 'offerRejects' : 'offerHolds', {
          caught: offer.caught,
          rejected: offer.rejected,
          wrong: offer.wrong,
          published: offer.published,
        })}
      </p>
      <button type="button" class="main" onClick={onAdd}>
        {t('offerAdd', { n: DAYS })} {shortcut && <Key>{shortcut}</Key>}
      </button>
      <button type="button" class="plain" onClick={dismiss}>
        {t('offerNot')}
      </button>
    </div>
  );
}
