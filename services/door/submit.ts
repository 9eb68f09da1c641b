import { createHash } from 'node:crypto';
import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import { signNote, writerKeyOf } from '../../shared/door-note.ts';
import { type FieldFault, SluiceError } from '../../shared/errors.ts';
import { COMMENTS_SOURCE, Id, type CommentSubmitted, type Pace } from '../../shared/events.ts';
import type { Call, Reply } from '../../shared/http.ts';
import { type Language, languageOf } from '../../shared/languages.ts';
import type { Ports } from '../../shared/ports.ts';
import { imitates, skeleton } from '../validate/names.ts';
import { checkDraft } from '../validate/check.ts';
import { isClosed } from '../validate/handler.ts';
import { normaliseThreadKey } from '../validate/thread-key.ts';
import { pageSpeech } from '../widget/page-words.ts';
import { authorOf } from './authors.ts';
import type { Door } from './door.ts';
import { takeTurn } from './limits.ts';

const LANES = 16;
/** How long an Idempotency-Key is remembered. */
export const KEY_S = 86_400;

export const Submission = z.strictObject({
  author: z.strictObject({
    name: z.string().max(400),
    email: z.string().max(254).optional(),
    url: z.string().max(2000).optional(),
  }),
  body: z.string().max(65_536),
  parentId: Id.optional(),
  notifyReplies: z.boolean().optional(),
  /** Asks for a `nameCapability`: from then on nobody else writes under this name here, nor under one that looks like it. */
  keepName: z.boolean().optional(),
  nameCapability: z.string().max(64).optional(),
  /** A language tag (BCP 47): in which mail to this writer is written, instead of what `Accept-Language` asks for. */
  lang: z.string().max(35).optional(),
  page: z.strictObject({ url: z.string().max(2000), title: z.string().max(500) }).optional(),
  /** `t`: milliseconds between showing the form and sending it; `hp`: the honeypot's content. */
  form: z.strictObject({ t: z.number().min(0).optional(), hp: z.string().max(1000).optional() }).optional(),
});
export type Submission = z.infer<typeof Submission>;

export const Accepted = z.object({
  id: z.string(),
  status: z.literal('received'),
  statusUrl: z.string(),
  capability: z.string(),
  editableUntil: z.iso.datetime(),
  /** When `keepName` asked for it: to be sent with each comment under this name. */
  nameCapability: z.string().optional(),
});

/** Checks a submission, assigns its id, and puts the event: 202 once the bus has taken it. */
export async function submit(door: Door, call: Call): Promise<Reply> {
  const { ports, sites, store, contacts, names, rateLimit } = door;
  const { clock, vault, bus, log, table } = ports;
  const body: Submission = call.body;
  const lang = languageOf(body.lang ?? call.header('accept-language'));
  const { site, policy } = await sites.rules(call.params.site ?? '');
  const asked = normaliseThreadKey(call.params.thread ?? '', site.threadParams);
  const author = await authorOf(door, site, call.header('authorization'));

  const client = clientOf(ports, call.client);
  const who = {
    ...(body.author.email && { email: body.author.email }),
    name: body.author.name,
    network: client.network,
  };
  const writer = author ? `author-${author.id}`.slice(0, 64) : writerKeyOf(vault, site.id, who);
  const key = keyOf(site.id, call, body);
  // All that is asked of the store before anything is written, at once.
  const look = author ? '' : skeleton(body.author.name);
  const [history, repeated, parent, record, kept, moderators] = await Promise.all([
    author ? undefined : store.writerHistory(site.id, writer),
    key && claimed(ports, key),
    body.parentId === undefined ? undefined : store.get(body.parentId),
    sites.thread(site.id, asked, { stale: true }),
    look === '' ? undefined : names.get(site.id, look),
    author ? [] : door.moderators(site.id),
  ]);
  const thread = record?.key ?? asked;
  const known = author !== undefined || (history?.published ?? 0) > 0;
  const lane = laneOf(ports, site.id, known ? writer : client.network);
  let first = repeated;
  let pace: Pace | undefined;
  if (!first && !author) {
    const who = { site: site.id, client: client.key, known, writer, lane };
    try {
      pace = await takeTurn(table, clock, policy.policy, who, { free: !rateLimit });
    } catch (refusal) {
      // A repeat takes no turn, also one that overtakes the first of its key.
      first = key && (await claimedSoon(ports, key));
      if (!first) throw refusal;
    }
  }

  const checked = checkDraft(
    { author: body.author, body: body.body, ...(body.page && { page: body.page }) },
    policy.policy,
    { origins: placesOf(site.origins, body.page?.url, ports.publicUrl) },
  );
  const faults = checked.ok ? [] : [...checked.faults];
  if (
    !author &&
    imitates(body.author.name, [...site.authors.map(({ name }) => name), ...moderators, 'moderator', 'admin']) !==
      undefined
  ) {
    faults.push({
      pointer: '/author/name',
      detail: 'this name belongs to an author or moderator here; choose another',
      kind: 'taken',
    });
  } else if (!names.isFree(kept, site.id, body.nameCapability, first?.id)) {
    faults.push(NAME_KEPT);
  }
  if (body.parentId !== undefined && (!parent || parent.site !== site.id || parent.thread !== thread)) {
    faults.push({ pointer: '/parentId', detail: 'no comment of this thread has this id', kind: 'parent' });
  } else if (parent && parent.depth + 1 > policy.policy.replyDepth) {
    faults.push({
      pointer: '/parentId',
      detail: `replies go ${policy.policy.replyDepth} deep at most; answer one further up`,
      kind: 'parent',
    });
  }
  if (!checked.ok || faults.length > 0) {
    throw refused(faults, lang);
  }
  if (isClosed(record, policy.policy, clock.now()) && !author) {
    throw new SluiceError('Thread.Closed', 'this thread takes no more comments', {
      hint: 'write to the author instead',
    });
  }

  const { draft } = checked;
  // An address is kept only for who asks for it.
  const address = policy.policy.providers.akismet ? client.address : undefined;
  const addresses = { email: draft.author.email, client: address, network: client.network, lang };
  const [claim, contact] = await Promise.all([
    // Claimed once nothing can refuse it any more: a refused text has not used up its key.
    first ?? claimKey(ports, key),
    draft.author.email || address ? contacts.exchange(addresses) : undefined,
  ]);
  const { id } = claim;
  const isNameUsed = look !== '' && (body.keepName || (kept && body.nameCapability !== undefined));
  const nameCapability = isNameUsed
    ? await names.keep({ site: site.id, skeleton: look, comment: id, known }, kept)
    : undefined;
  if (isNameUsed && nameCapability === undefined) throw refused([NAME_KEPT], lang);
  const detail: CommentSubmitted = {
    schema: 1,
    id,
    site: site.id,
    thread,
    author: { name: author?.name ?? draft.author.name, ...(draft.author.url && { url: draft.author.url }) },
    body: draft.body,
    ...(body.parentId && { parentId: body.parentId }),
    ...(body.notifyReplies !== undefined && { notifyReplies: body.notifyReplies }),
    ...(draft.page && { page: draft.page }),
    lane,
    submittedAt: new Date(claim.at).toISOString(),
    door: signNote(vault, id, {
      ...(contact && { contact }),
      writer,
      ...(client.network && { network: client.network }),
      ...(author && { role: 'author' as const, authorId: author.id }),
      ...(body.form?.t !== undefined && { elapsedMs: body.form.t }),
      ...(body.form?.hp !== undefined && { honeypot: body.form.hp !== '' }),
      ...(pace && { pace }),
    }),
  };
  await bus.put([{ id, source: COMMENTS_SOURCE, type: 'CommentSubmitted', detail }]);
  log.info({ commentId: id, site: site.id, lane, repeat: claim.repeat }, 'comment submitted');
  return {
    status: 202,
    body: {
      id,
      status: 'received',
      statusUrl: `${ports.publicUrl}/v1/comments/${id}/status?token=${vault.sign('status', id)}`,
      capability: vault.sign('capability', id),
      editableUntil: new Date(claim.at + policy.policy.editMinutes * 60_000).toISOString(),
      ...(nameCapability && body.keepName && { nameCapability }),
    },
  };
}

/**
 * Where a page may lie. A site that names no origins is one to try out: its pages are our own and those of this machine, or a
 * stranger's first comment would choose where the permalinks of a thread lead.
 */
function placesOf(origins: readonly string[], url: string | undefined, publicUrl: string): readonly string[] {
  if (origins.length > 0 || url === undefined) return origins;
  const page = URL.canParse(url) ? new URL(url) : undefined;
  const here = page && /^(localhost|127\.0\.0\.1|\[::1\])$/.test(page.hostname);
  return here ? [publicUrl, page.origin] : [publicUrl];
}

const NAME_KEPT: FieldFault = {
  pointer: '/author/name',
  detail: 'somebody here keeps this name, or one that looks like it; choose another',
  kind: 'taken',
};

/** Each fault in the writer's language (RFC 9457, 3.1: `detail` may be), where that is not the one in which they are written here. */
export const refused = (faults: readonly FieldFault[], lang: Language = 'en') =>
  new SluiceError('Request.Invalid', 'the comment cannot be taken as it is', {
    hint: 'correct the fields named',
    fields:
      lang === 'en'
        ? faults
        : faults.map((one) => (one.kind ? { ...one, detail: pageSpeech(lang).fault(one.kind, one.most) } : one)),
  });

/** The record of an Idempotency-Key, and what it stands for. (draft-ietf-httpapi-idempotency-key-header) */
type Key = { pk: string; sk: string; hash: string };
type Claim = { id: string; at: number; repeat: boolean };

/** How often, and how long apart, a refused call looks for the first of its key. */
const LOOKS = 5;
const LOOK_MS = 40;

function keyOf(site: string, call: Call, body: Submission): Key | undefined {
  const key = call.header('idempotency-key');
  if (key === undefined) return undefined;
  if (!/^[\x21-\x7e]{1,200}$/.test(key)) {
    throw new SluiceError('Request.Malformed', 'the Idempotency-Key is not 1 to 200 printable characters', {
      hint: 'send a UUID',
    });
  }
  const { form: _form, ...content } = body;
  const hash = createHash('sha256')
    .update(JSON.stringify([call.params.thread, content]))
    .digest('base64url');
  return { pk: `I#${site}#${createHash('sha256').update(key).digest('base64url')}`, sk: 'key', hash };
}

/** The submission that came first with this key. Throws `Request.KeyReused` when that had another body. */
async function claimed({ table }: Pick<Ports, 'table'>, { pk, sk, hash }: Key): Promise<Claim | undefined> {
  const first = await table.get({ pk, sk });
  if (!first) return undefined;
  if (first.hash !== hash) {
    throw new SluiceError('Request.KeyReused', 'this Idempotency-Key came with another body before', {
      hint: 'make a key for each comment',
    });
  }
  return { id: String(first.id), at: Number(first.at), repeat: true };
}

async function claimedSoon(ports: Pick<Ports, 'table'>, key: Key): Promise<Claim | undefined> {
  for (let look = 0; look < LOOKS; look++) {
    const first = await claimed(ports, key);
    if (first) return first;
    await new Promise((done) => setTimeout(done, LOOK_MS));
  }
  return undefined;
}

/** A new id for this submission; that of the first one, when another of its key was faster. */
async function claimKey(ports: Pick<Ports, 'table' | 'clock' | 'ids'>, key: Key | undefined): Promise<Claim> {
  const { table, clock, ids } = ports;
  const fresh = { id: ids.next(), at: clock.now(), repeat: false };
  if (!key) return fresh;
  const result = await table.write([
    { put: { ...key, id: fresh.id, at: fresh.at, expiresAt: Math.floor(fresh.at / 1000) + KEY_S }, if: 'absent' },
  ]);
  return result.done ? fresh : ((await claimed(ports, key)) ?? fresh);
}

/** The client's address, its network (/24 or /48: what one household or office shares), and a bucket key; hashed, no addresses. */
export function clientOf(
  { vault }: Pick<Ports, 'vault'>,
  address: string,
): { address?: string; network: string; key: string } {
  if (!ipaddr.isValid(address)) return { network: 'unknown', key: 'unknown' };
  const ip = ipaddr.process(address);
  const bits = ip.kind() === 'ipv4' ? 24 : 48;
  const bytes = ip.toByteArray();
  const prefix = bytes.map((byte, index) => (index < bits / 8 ? byte : 0)).join('.');
  const network = vault.sign('network', prefix).slice(0, 16);
  return {
    address: ip.toNormalizedString(),
    network,
    // One household has 2^64 addresses of IPv6: its /64 is the client.
    key: vault.sign('network', `client ${bytes.slice(0, ip.kind() === 'ipv4' ? 4 : 8).join('.')}`).slice(0, 16),
  };
}

function laneOf({ vault }: Pick<Ports, 'vault'>, site: string, who: string): string {
  const number = Buffer.from(vault.sign('lane', `${site}\n${who}`), 'base64url').readUInt16BE(0) % LANES;
  return `lane-${String(number).padStart(2, '0')}`;
}
