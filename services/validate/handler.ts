import { createHash } from 'node:crypto';
import { z } from 'zod';
import { assertTransition, storeOf } from '../../shared/store/comments.ts';
import { contactsOf } from '../../shared/store/contacts.ts';
import { reportersOf } from '../../shared/store/reporters.ts';
import { sitesOf, type Thread } from '../../shared/store/sites.ts';
import type { Comment, Revision } from '../../shared/comment.ts';
import { noteHolds, writerKeyOf } from '../../shared/door-note.ts';
import { SluiceError } from '../../shared/errors.ts';
import {
  COMMENTS_SOURCE,
  INPUT_EVENTS,
  Retry,
  type CommentDeleted,
  type CommentEdited,
  type CommentReported,
  type CommentSubmitted,
} from '../../shared/events.ts';
import { parse } from '../../shared/parse.ts';
import type { Policy } from '../../shared/policy.ts';
import type { Ports, Service } from '../../shared/ports.ts';
import { parseJson } from '../../shared/strict-json.ts';
import { fingerprint } from '../spam-check/fingerprint.ts';
import { checkDraft } from './check.ts';
import { excerpt, linksOf, plainText, render } from './markdown.ts';
import { normaliseThreadKey } from './thread-key.ts';

const HOUR_MS = 3_600_000;

const Input = z.object({ record: z.object({ body: z.string() }), executionId: z.string().optional() });
const Envelope = z.object({
  id: z.string(),
  'detail-type': z.enum(['CommentSubmitted', 'CommentEdited', 'CommentDeleted', 'CommentReported']),
  source: z.literal(COMMENTS_SOURCE),
  time: z.string().optional(),
  detail: z.unknown(),
  retry: Retry.optional(),
});
type Envelope = z.infer<typeof Envelope>;

/** Where the workflow goes on; `id` and `version` name what the next state works on. */
export type Step = {
  id: string;
  version: number;
  next: 'judge' | 'publish' | 'hold' | 'reject' | 'review' | 'done';
  reason: string;
  review: string;
};

const step = (comment: Comment, next: Step['next'], reason = ''): Step => ({
  id: comment.id,
  // `review` is known by the version that its hold wrote.
  version: next === 'review' ? (comment.heldVersion ?? comment.version) : comment.version,
  next,
  reason,
  review: `${comment.id}-${comment.heldVersion ?? comment.version}`,
});

/**
 * Parses one event of the intake, holds it against the site's rules, and stores what it says.
 *
 * The same event twice, or late, or before the one it builds on, ends in the same comment. Throws `Comment.Malformed`,
 * `Site.Unknown`, `Comment.IdTaken`, `Comment.Unknown` for good; `Parent.Unknown` and `Comment.NotYet` for what may come.
 */
export const validate: Service = (ports) => {
  const unit = unitOf(ports);
  return async (input) => {
    const { record } = parse(Input, input, 'Comment.Malformed');
    const envelope = envelopeOf(record.body);
    switch (envelope['detail-type']) {
      case 'CommentSubmitted':
        return submitted(unit, envelope);
      case 'CommentEdited':
        return edited(unit, envelope);
      case 'CommentDeleted':
        return deleted(unit, envelope);
      case 'CommentReported':
        return reported(unit, envelope);
    }
  };
};

function unitOf(ports: Ports) {
  return {
    ...ports,
    store: storeOf(ports.table, ports.clock),
    sites: sitesOf(ports.table, ports.clock),
    contacts: contactsOf(ports.table, ports.vault, ports.clock),
  };
}
type Unit = ReturnType<typeof unitOf>;

function envelopeOf(body: string): Envelope {
  try {
    return parse(Envelope, parseJson(body), 'Comment.Malformed');
  } catch (error) {
    if (error instanceof SluiceError && error.code === 'Comment.Malformed') throw error;
    throw new SluiceError(
      'Comment.Malformed',
      `the message is no event: ${error instanceof Error ? error.message : ''}`,
      {
        hint: 'put events by PutEvents',
        cause: error,
      },
    );
  }
}

async function submitted(unit: Unit, envelope: Envelope): Promise<Step> {
  const { store, sites, vault, clock } = unit;
  const detail: CommentSubmitted = parse(INPUT_EVENTS.CommentSubmitted, envelope.detail, 'Comment.Malformed');
  const { site, policy } = await sites.rules(detail.site);
  const id = detail.id ?? envelope.id;
  const note = detail.door;
  if (note && !noteHolds(vault, id, note)) {
    throw new SluiceError('Comment.Malformed', '/door: the signature is not ours', { hint: 'leave door out' });
  }
  const contentHash = hashOf([detail.site, detail.thread, detail.parentId, detail.author.name, detail.body]);

  const checked = checkDraft(
    { author: detail.author, body: detail.body, ...(detail.page && { page: detail.page }) },
    policy.policy,
    site,
  );
  if (!checked.ok) {
    // What is stored already was right under the rules of its time.
    const stored = await store.get(id);
    if (stored?.contentHash === contentHash && stored.site === detail.site) {
      return stored.status === 'received' ? place(unit, stored, envelope, policy.policy) : again(stored);
    }
    throw new SluiceError(
      'Comment.Malformed',
      checked.faults.map(({ pointer, detail }) => `${pointer}: ${detail}`).join('; '),
      {
        hint: 'correct the text',
        fields: checked.faults,
      },
    );
  }
  const { draft } = checked;
  const asked = threadOf(detail.thread, site.threadParams);
  const [record, parent, contact] = await Promise.all([
    sites.thread(site.id, asked),
    detail.parentId ? store.get(detail.parentId) : undefined,
    contactOf(unit, detail),
  ]);
  const submittedAt = timeOf(detail.submittedAt ?? envelope.time, clock.now());
  const text = textOf(id, 1, draft.body, policy.policy, submittedAt);
  const links = linksOf(draft.body, draft.author.url);
  const fresh: Comment = {
    id,
    site: detail.site,
    thread: record?.key ?? asked,
    parentId: detail.parentId ?? null,
    depth: parent ? parent.depth + 1 : detail.parentId ? 1 : 0,
    status: 'received',
    version: 1,
    revision: 1,
    publishedRevision: null,
    pendingRevision: null,
    author: {
      name: draft.author.name,
      ...(draft.author.url && { url: draft.author.url }),
      key: note?.writer ?? writerKeyOf(vault, detail.site, detail.author),
      ...(note?.network && { network: note.network }),
      ...(note?.role && { role: note.role }),
      ...(note?.authorId && { authorId: note.authorId }),
      ...contact,
    },
    notifyReplies: detail.notifyReplies ?? false,
    // The thread's record has it, as a rule.
    ...(draft.page &&
      record?.url &&
      (record.url !== draft.page.url || record.title !== draft.page.title) && { page: draft.page }),
    lane: detail.lane ?? '',
    contentHash,
    excerpt: excerpt(draft.body),
    fingerprint: fingerprint(plainText(draft.body)),
    linkHosts: links.hosts.slice(0, 20),
    lang: '',
    ...(draft.bidi + draft.hidden > 0 && { stripped: { bidi: draft.bidi, hidden: draft.hidden } }),
    ...((note?.elapsedMs !== undefined || note?.honeypot !== undefined) && {
      form: {
        ...(note.elapsedMs !== undefined && { elapsedMs: note.elapsedMs }),
        ...(note.honeypot !== undefined && { honeypot: note.honeypot }),
      },
    }),
    ...(note?.pace && { pace: note.pace }),
    submittedAt,
    reports: 0,
    appeals: 0,
  };
  await knowThread(unit, fresh, draft.page, record);
  const { comment } = await store.create(fresh, text);
  if (comment.status !== 'received') return again(comment);
  return place(unit, comment, envelope, policy.policy, { thread: record, parent });
}

/** A key that no thread can have does not become one by waiting. */
function threadOf(key: string, listedParams: readonly string[]): string {
  try {
    return normaliseThreadKey(key, listedParams);
  } catch (cause) {
    throw new SluiceError('Comment.Malformed', `/thread: ${cause instanceof Error ? cause.message : ''}`, {
      hint: 'send a slug, a path or the URL of the post',
      cause,
    });
  }
}

/** Thread and parent decide whether a stored comment can be judged now; `read` is what the caller read of them. */
async function place(
  unit: Unit,
  comment: Comment,
  envelope: Envelope,
  policy: Policy,
  read?: { thread: Thread | undefined; parent: Comment | undefined },
): Promise<Step> {
  const { store, sites, clock } = unit;
  const thread = read ? read.thread : await sites.thread(comment.site, comment.thread);
  if (isClosed(thread, policy, clock.now()) && !comment.author.role) return step(comment, 'reject', 'thread-closed');
  if (comment.parentId === null) return step(comment, 'judge');

  const parent = read ? read.parent : await store.get(comment.parentId);
  if (!parent) {
    // Since it came, not since it was written: a blog's back end may put what is old.
    const now = clock.now();
    if (now - (envelope.retry?.firstAt ?? now) > HOUR_MS) return step(comment, 'hold', 'parent-unknown');
    throw new SluiceError('Parent.Unknown', `parent ${comment.parentId} is not known yet`, {
      hint: 'it is waited for an hour',
    });
  }
  if (parent.site !== comment.site || parent.thread !== comment.thread)
    return step(comment, 'reject', 'parent-elsewhere');
  if (parent.depth + 1 > policy.replyDepth) return step(comment, 'reject', 'too-deep');
  const decided = (status: Comment['status']) => status !== 'received' && status !== 'held';
  if (!decided(parent.status)) {
    if (!comment.parked) await store.annotate(comment, { parked: true });
    await store.park(parent.id, comment.id, { ...(envelope.detail as object), id: comment.id });
    // The parent may have been decided between the look and the parking: then nobody would release this one.
    const now = await store.mustGet(parent.id);
    if (!decided(now.status)) return step(comment, 'done', 'parked');
    await store.unpark(parent.id, comment.id);
    if (now.status !== 'published') return step(comment, 'hold', 'parent-removed');
  } else if (parent.status !== 'published') {
    return step(comment, 'hold', 'parent-removed');
  }
  if (comment.depth === parent.depth + 1) return step(comment, 'judge');
  const placed = await store.changeLatest(comment.id, () => ({
    set: { depth: parent.depth + 1 },
    by: 'policy',
    action: 'place',
  }));
  return step(placed, 'judge');
}

/** A repeat of what is decided: only what may have been lost after the write is done again. */
function again(comment: Comment): Step {
  if (comment.decidedBy) return step(comment, 'done');
  if (comment.status === 'published') return step(comment, 'publish');
  if (comment.status === 'held') return step(comment, 'review');
  if (comment.status === 'rejected') return step(comment, 'reject');
  return step(comment, 'done');
}

async function edited(unit: Unit, envelope: Envelope): Promise<Step> {
  const { store, sites, clock } = unit;
  const detail: CommentEdited = parse(INPUT_EVENTS.CommentEdited, envelope.detail, 'Comment.Malformed');
  const { site, policy } = await sites.rules(detail.site);
  const comment = await known(unit, detail, envelope);
  const checked = checkDraft({ author: { name: comment.author.name }, body: detail.body }, policy.policy, site);
  if (!checked.ok) {
    throw new SluiceError(
      'Comment.Malformed',
      checked.faults.map((fault) => `${fault.pointer}: ${fault.detail}`).join('; '),
      {
        hint: 'correct the text',
        fields: checked.faults,
      },
    );
  }
  const { body } = checked.draft;
  const contentHash = hashOf([comment.site, comment.id, detail.editId, body]);
  // A bus tells seconds; within one, the edit that comes later is the later one.
  const at = detail.submittedAt
    ? timeOf(detail.submittedAt, clock.now())
    : Math.min(timeOf(envelope.time, clock.now()) + 999, clock.now());
  const changed = await store.changeLatest(comment.id, (now) => {
    // An older edit that comes late, or again, must not bring its text back.
    if (at < (now.editedAt ?? 0)) return undefined;
    if (now.contentHash === contentHash || !['received', 'held', 'published'].includes(now.status)) return undefined;
    const links = linksOf(body, now.author.url);
    return {
      set: {
        revision: now.revision + 1,
        contentHash,
        excerpt: excerpt(body),
        fingerprint: fingerprint(plainText(body)),
        linkHosts: links.hosts.slice(0, 20),
        editedAt: at,
      },
      revision: textOf(now.id, now.revision + 1, body, policy.policy, at),
      by: 'writer',
      action: 'edit',
    };
  });
  if (changed.contentHash !== contentHash) return step(changed, 'done');
  if (changed.status === 'received') return place(unit, changed, envelope, policy.policy);
  return step(changed, 'judge');
}

async function deleted(unit: Unit, envelope: Envelope): Promise<Step> {
  const { store } = unit;
  const detail: CommentDeleted = parse(INPUT_EVENTS.CommentDeleted, envelope.detail, 'Comment.Malformed');
  const comment = await known(unit, detail, envelope);
  const gone = await store.changeLatest(comment.id, (now) => {
    if (!['received', 'held', 'published'].includes(now.status)) return undefined;
    assertTransition(now, 'deleted', 'writer');
    return {
      set: { status: 'deleted', pendingRevision: null, queued: false },
      by: 'writer',
      action: 'delete',
    };
  });
  return step(gone, gone.status === 'deleted' ? 'reject' : 'done');
}

async function reported(unit: Unit, envelope: Envelope): Promise<Step> {
  const { store, sites, table } = unit;
  const detail: CommentReported = parse(INPUT_EVENTS.CommentReported, envelope.detail, 'Comment.Malformed');
  const { policy } = await sites.rules(detail.site);
  const comment = await known(unit, detail, envelope);
  if (comment.status !== 'published' || comment.publishedRevision === null) return step(comment, 'done');
  const { reporter, reason, note } = detail;
  const all = await reportersOf(table).take(comment, comment.publishedRevision, {
    reporter,
    reason,
    ...(note && { note }),
  });
  const open = ({ dismissed }: Comment): { reports: number; weight: number } => {
    const before = dismissed?.revision === comment.publishedRevision ? dismissed : undefined;
    return {
      reports: all.reports - (before?.reports ?? 0),
      weight: all.weight - (before?.weight ?? before?.reports ?? 0),
    };
  };
  // Sums of thirds: what is a hair below the threshold is at it.
  const isEnough = (now: Comment) => open(now).weight > policy.policy.reportersToQueue - 1e-9;
  const changed = await store.changeLatest(comment.id, (now) =>
    now.status !== 'published' ||
    now.reports >= open(now).reports ||
    now.publishedRevision !== comment.publishedRevision
      ? undefined
      : {
          set: {
            reports: open(now).reports,
            reportWeight: open(now).weight,
            ...(isEnough(now) && { queued: true, heldAt: now.heldAt ?? unit.clock.now() }),
          },
          by: 'reports',
          action: 'report',
          reason,
        },
  );
  const enough = isEnough(changed);
  return enough && policy.policy.reportsHide && changed.status === 'published'
    ? step(changed, 'hold', 'reports')
    : step(changed, 'done');
}

/** The comment that an event speaks of. It may come first: then it is waited for, for an hour. */
async function known(unit: Unit, detail: { id: string; site: string }, envelope: Envelope): Promise<Comment> {
  const comment = await unit.store.get(detail.id);
  if (comment && comment.site === detail.site) return comment;
  const now = unit.clock.now();
  if (comment || now - (envelope.retry?.firstAt ?? now) > HOUR_MS) {
    throw new SluiceError('Comment.Unknown', `site ${detail.site} has no comment ${detail.id}`, {
      hint: 'check id and site',
    });
  }
  throw new SluiceError('Comment.NotYet', `comment ${detail.id} is not stored yet`, {
    hint: 'it is waited for an hour',
  });
}

async function contactOf(unit: Unit, detail: CommentSubmitted): Promise<{ contact?: string }> {
  if (detail.door) return detail.door.contact ? { contact: detail.door.contact } : {};
  if (!detail.author.email) return {};
  return { contact: await unit.contacts.exchange({ email: detail.author.email }) };
}

/** The first comment of a thread makes its record: title, page and age. */
async function knowThread(
  { sites, clock }: Unit,
  { site, thread: key }: Comment,
  page: Comment['page'],
  known: Thread | undefined,
): Promise<void> {
  const thread = { firstAt: clock.now(), site, key, ...(page && { title: page.title, url: page.url }) };
  if (!known) await sites.beginThread(thread);
  else if (!known.url && page) await sites.putThread({ ...thread, ...known, title: page.title, url: page.url });
}

/** Closed by a person, or by age under the policy. */
export function isClosed(
  thread: { closed?: boolean; firstAt?: number } | undefined,
  policy: Policy,
  nowMs: number,
): boolean {
  if (thread?.closed) return true;
  return (
    policy.closeAfterDays !== null &&
    thread?.firstAt !== undefined &&
    nowMs - thread.firstAt > policy.closeAfterDays * 86_400_000
  );
}

function textOf(commentId: string, revision: number, body: string, policy: Policy, at: number): Revision {
  return { commentId, revision, body, html: render(body, { images: policy.images }), at };
}

const hashOf = (parts: readonly unknown[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 22);

/** What a sender says of time is believed up to now. */
function timeOf(iso: string | undefined, nowMs: number): number {
  const at = iso === undefined ? nowMs : Date.parse(iso);
  return Number.isFinite(at) ? Math.min(at, nowMs) : nowMs;
}
