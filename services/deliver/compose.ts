import type { MailMessage, Ports } from '../../shared/ports.ts';
import { mailHost, messageIdOf } from '../../shared/store/notifications.ts';
import { permalink } from './permalink.ts';
import {
  confirmUrl,
  decideUrl,
  mailToken,
  personUrl,
  privacyUrl,
  signInUrl,
  unsubscribeUrl,
  type Scope,
} from './mail-links.ts';
import { SIGN_IN_MINUTES, type Ready } from './reader.ts';
import {
  oneLine,
  renderConfirmation,
  renderData,
  renderDigest,
  renderNews,
  renderReplies,
  renderSignIn,
  type CommentView,
  type Rendered,
} from './render.ts';
import { speech } from './words.ts';

export type Composed = Omit<MailMessage, 'to' | 'messageId'>;

const CONFIRM_DAYS = 7;
/** How long the link to one's own data works. */
export const DATA_HOURS = 24;
/** How long a moderator may decide by a mailed link. */
const DECIDE_MS = 7 * 86_400_000;

/** The mail about one or several notifications of the same kind to the same address. */
export async function compose(
  { vault, clock, publicUrl }: Pick<Ports, 'vault' | 'clock' | 'publicUrl'>,
  items: readonly [Ready, ...Ready[]],
): Promise<Composed> {
  const [{ kind, site, emailHash, contact, digest, policy, signIn, lang }] = items;
  const from = { name: oneLine(site.name, 80), address: `comments@${mailHost(publicUrl)}` };
  // Auto-Submitted: RFC 3834, so that nobody's holiday note answers. List-Id: RFC 2919.
  const headers = { 'Auto-Submitted': 'auto-generated', 'List-Id': `<${site.id}.sluice.${mailHost(publicUrl)}>` };
  const finish = (rendered: Rendered, unsubscribe?: string, about: Record<string, string> = {}): Composed => ({
    from,
    ...rendered,
    headers: { ...headers, ...about },
    ...(unsubscribe && { unsubscribeUrl: unsubscribe }),
  });

  if (kind === 'confirmation') {
    const until = clock.now() + CONFIRM_DAYS * 86_400_000;
    const token = mailToken(vault, { kind: 'confirm', address: emailHash, contact: contact ?? '', until });
    const url = confirmUrl(publicUrl, token, lang);
    // Whoever never wrote here may be asked each month: they can end that too.
    const never = mailToken(vault, { kind: 'unsubscribe', address: emailHash, scope: { all: true } });
    const unsubscribe = unsubscribeUrl(publicUrl, never, lang);
    const mail = { site: site.name, url, days: CONFIRM_DAYS, unsubscribeUrl: unsubscribe };
    return finish(renderConfirmation(mail, speech(lang)), unsubscribe);
  }
  if (kind === 'person') {
    const until = clock.now() + DATA_HOURS * 3_600_000;
    const token = mailToken(vault, {
      kind: 'person',
      address: emailHash,
      contact: contact ?? '',
      site: site.id,
      until,
    });
    const url = personUrl(publicUrl, token, lang);
    return finish(renderData({ site: site.name, url, hours: DATA_HOURS }, speech(lang)));
  }
  if (signIn) {
    const token = mailToken(vault, { kind: 'sign-in', address: emailHash, id: signIn.id, until: signIn.until });
    const minutes = SIGN_IN_MINUTES;
    return finish(renderSignIn({ site: site.name, url: signInUrl(publicUrl, token), minutes }));
  }
  if (digest) {
    const token = mailToken(vault, { kind: 'unsubscribe', address: emailHash, scope: { digestOf: site.id } });
    const url = unsubscribeUrl(publicUrl, token);
    return finish(
      renderDigest({
        site: site.name,
        waiting: digest.waiting,
        more: digest.more,
        escalated: digest.escalated,
        escalationHours: policy.escalationHours,
        now: clock.now(),
        moderateUrl: `${publicUrl}/moderate`,
        unsubscribeUrl: url,
        first: digest.first.map((comment) => ({
          author: comment.author.name,
          title: comment.page?.title ?? '',
          excerpt: comment.excerpt,
          since: comment.heldAt ?? comment.submittedAt,
          reasons: (comment.judgement?.signals ?? []).slice(0, 3).map(({ words }) => words),
          ...(comment.holdReason && { holdReason: comment.holdReason }),
          decideUrl: decideUrl(
            publicUrl,
            mailToken(vault, {
              kind: 'decide',
              address: emailHash,
              comment: comment.id,
              version: comment.version,
              until: clock.now() + DECIDE_MS,
            }),
          ),
        })),
      }),
      url,
    );
  }
  const about = items.flatMap((item) => (item.about ? [item.about] : []));
  const scope = scopeOf(items[0]);
  const url = unsubscribeUrl(publicUrl, mailToken(vault, { kind: 'unsubscribe', address: emailHash, scope }), lang);
  const views = about
    .map(({ comment, revision, parent, thread }): CommentView => ({
      author: comment.author.name,
      html: revision.html,
      text: revision.body,
      excerpt: comment.excerpt,
      at: comment.publishedAt ?? comment.submittedAt,
      title: thread?.title ?? comment.page?.title ?? '',
      url: kind === 'held' ? `${publicUrl}/moderate` : permalink(publicUrl, comment, thread?.url),
      ...(parent && { parentExcerpt: parent.excerpt }),
    }))
    .toSorted((a, b) => a.at - b.at);
  const mail = { site: site.name, comments: views as [CommentView, ...CommentView[]], unsubscribeUrl: url };
  const rendered =
    kind === 'reply'
      ? renderReplies({ ...mail, dataUrl: privacyUrl(publicUrl, site.id, lang) }, speech(lang))
      : renderNews(kind as 'author' | 'held', mail);
  return finish(rendered, url, { Precedence: 'list', ...conversationOf(publicUrl, about) });
}

/** One click ends what is like this mail: one that comes of all threads is not ended with the thread of its first comment. */
function scopeOf({ kind, site, burst, about }: Ready): Scope {
  if (kind === 'held') return { digestOf: site.id };
  return burst?.firstWaits ? { newsOf: site.id } : { comment: about?.comment.id ?? '' };
}

/**
 * Mails about one thread of comments stand together: all answer a message that was never sent (RFC 5322, 3.6.4).
 * Those about several threads answer none.
 */
function conversationOf(publicUrl: string, about: readonly (Ready['about'] & object)[]): Record<string, string> {
  const threads = new Set(about.map(({ comment }) => `${comment.site}\n${comment.thread}`));
  const [thread] = threads;
  if (thread === undefined || threads.size > 1) return {};
  const root = messageIdOf(publicUrl, { commentId: 'thread', recipient: thread });
  return { 'In-Reply-To': root, References: root };
}
