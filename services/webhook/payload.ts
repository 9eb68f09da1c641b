import { createHash } from 'node:crypto';
import { Webhook as Signer } from 'standardwebhooks';
import type { Comment } from '../../shared/comment.ts';
import type { Webhook } from '../../shared/store/webhooks.ts';
import { oneLine } from '../deliver/render.ts';

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

/**
 * The body, and the headers that sign it. https://www.standardwebhooks.com, "Webhook Scheme"
 *
 * @param secrets the newest first: while an old one still holds, receivers with either accept the message
 */
export function signed(
  hook: Pick<Webhook, 'format'>,
  secrets: readonly string[],
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
      'webhook-signature': secrets.map((secret) => new Signer(secret).sign(id, now, body)).join(' '),
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

/**
 * https://docs.slack.dev/messaging/formatting-message-text: three characters are escaped, and nothing then mentions anybody.
 * Each part is cut before it is escaped: a message cut at its end would lose its link.
 */
const slackText = (text: string, characters = 80): string => slackEscaped(oneLine(text, characters));
const slackEscaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

function slackOf({ type, detail }: HookedEvent, about: About): unknown {
  const { comment, title, permalink, siteName, moderateUrl } = about;
  const decision = type === 'DecisionMade' ? `: ${slackText(String(detail.action))}` : '';
  const where = title ? `${slackText(title)}, ${slackText(siteName)}` : slackText(siteName);
  const link = type === 'CommentPublished' ? permalink : moderateUrl;
  const lines = [
    `*${SLACK_WORDS[type] ?? type}*${decision} (${where})`,
    ...(comment ? [`${slackText(comment.author.name)}: ${slackText(comment.excerpt, 300)}`] : []),
    ...(link
      ? [`<${slackEscaped(link).replaceAll('|', '%7C')}|${type === 'CommentPublished' ? 'Read it' : 'Open the desk'}>`]
      : []),
  ];
  // What a stranger linked to is not fetched and shown by Slack.
  return { text: lines.join('\n'), unfurl_links: false, unfurl_media: false };
}
