import { createHash } from 'node:crypto';
import { Webhook as Signer } from 'standardwebhooks';
import type { Comment } from '../../shared/comment.ts';
import type { Webhook } from '../../shared/store/webhooks.ts';

/** An event of the pipeline as far as a webhook tells of it. */
export type HookedEvent = {
  type: string;
  detail: { site: string; id: string; version: number; at: string; decisionId?: string | undefined } & Record<
    string,
    unknown
  >;
};

/** What a receiver gets to know of the comment beside the event: no address, and the whole text by the API. */
export type About = {
  siteName: string;
  comment?: Pick<Comment, 'author' | 'excerpt' | 'status' | 'thread'>;
  title?: string;
  permalink?: string;
  moderateUrl: string;
};

/** The same for every attempt, and for an event that came twice: receivers tell repeats by it. */
export function messageId({ type, detail }: HookedEvent): string {
  const { site, id, version, decisionId = '' } = detail;
  const hash = createHash('sha256').update([type, site, id, version, decisionId].join('\n')).digest('base64url');
  return `msg_${hash.slice(0, 27)}`;
}

/** The body, and the headers that sign it. https://www.standardwebhooks.com, "Webhook Scheme" */
export function signed(
  hook: Pick<Webhook, 'format'>,
  secret: string,
  event: HookedEvent,
  about: About,
  nowMs: number,
): { body: string; headers: Record<string, string> } {
  const body = JSON.stringify(hook.format === 'slack' ? slackOf(event, about) : standardOf(event, about));
  const id = messageId(event);
  const now = new Date(nowMs);
  return {
    body,
    headers: {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(nowMs / 1000)),
      'webhook-signature': new Signer(secret).sign(id, now, body),
    },
  };
}

/** `comment.published`, as the scheme wants names. */
const dotted = (type: string): string => type.replaceAll(/(?<!^)([A-Z])/g, '.$1').toLowerCase();

function standardOf({ type, detail }: HookedEvent, { comment, title, permalink }: About): unknown {
  const { hooks: _mark, schema: _schema, ...data } = detail;
  return {
    type: dotted(type),
    timestamp: detail.at,
    data: {
      ...data,
      ...(comment && {
        comment: {
          author: { name: comment.author.name },
          excerpt: comment.excerpt,
          status: comment.status,
          ...(title && { title }),
          ...(permalink && { permalink }),
        },
      }),
    },
  };
}

const SLACK_WORDS: Record<string, string> = {
  CommentPublished: 'New comment',
  CommentHeld: 'A comment waits for review',
  CommentRejected: 'A comment was rejected',
  CommentRemoved: 'A comment was removed',
  DecisionMade: 'A decision was made',
};

/** https://docs.slack.dev/messaging/formatting-message-text: three characters are escaped, and nothing then mentions anybody. */
const slackText = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll(/\s+/g, ' ').trim();

function slackOf({ type, detail }: HookedEvent, about: About): unknown {
  const { comment, title, permalink, siteName, moderateUrl } = about;
  const decision = type === 'DecisionMade' ? `: ${slackText(String(detail.action))}` : '';
  const where = title ? `${slackText(title)}, ${slackText(siteName)}` : slackText(siteName);
  const link = type === 'CommentPublished' ? permalink : moderateUrl;
  const lines = [
    `*${SLACK_WORDS[type] ?? type}*${decision} (${where})`,
    ...(comment ? [`${slackText(comment.author.name)}: ${slackText(comment.excerpt)}`] : []),
    ...(link
      ? [`<${slackText(link).replaceAll('|', '%7C')}|${type === 'CommentPublished' ? 'Read it' : 'Open the desk'}>`]
      : []),
  ];
  return { text: lines.join('\n').slice(0, 3000) };
}
