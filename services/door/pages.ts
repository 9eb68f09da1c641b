import { z } from 'zod';
import { ERRORS, SluiceError } from '../../shared/errors.ts';
import { Id, SiteId } from '../../shared/events.ts';
import { type Call, type Reply, type Route, retrySecondsOf } from '../../shared/http.ts';
import { type Language, LANGUAGES, languageOf } from '../../shared/languages.ts';
import { render } from '../validate/markdown.ts';
import { normaliseThreadKey } from '../validate/thread-key.ts';
import type { CommentForm } from '../widget/comment-form.ts';
import { PAGE_HEADERS } from '../widget/page-frame.ts';
import { type PageSpeech, pageSpeech } from '../widget/page-words.ts';
import { renderStatePage, renderThreadPage, type State, threadPath } from '../widget/thread-page.ts';
import type { Door } from './door.ts';
import { assertOwnPage, draftOf, Fields, faultsOf, shownNow, submissionOf } from './form.ts';
import { privacyPage } from './privacy.ts';
import { cacheable, type ShownComment, threadPage } from './read.ts';
import { readStatus, StatusQuery } from './status.ts';
import { submit } from './submit.ts';

const Lang = z.enum(LANGUAGES).optional().catch(undefined);
const PageQuery = z.strictObject({
  order: z.enum(['oldest', 'newest']).default('oldest'),
  cursor: z.string().max(2000).optional(),
  parent: Id.optional(),
  /** Begins the page so that this comment is on it. */
  around: Id.optional(),
  /** The comment under which the form stands. */
  reply: Id.optional(),
  lang: Lang,
});
type PageQuery = z.infer<typeof PageQuery>;

const HTML = 'text/html; charset=utf-8';
const PATH = '/t/:site/:thread';
/** A page without scripts cannot look again by itself: it waits so long for what is mostly decided within a second. */
const LOOKS = 6;
const LOOK_MS = 250;

/** The pages without scripts: a thread with a form, what became of a comment, what is kept. */
export function pageRoutes(door: Door): Route[] {
  return [
    {
      method: 'GET',
      path: '/privacy',
      summary: 'What is stored, where, and how long',
      access: 'public',
      query: z.strictObject({ site: SiteId.optional(), lang: Lang }),
      responses: { 200: { description: 'HTML' } },
      async handle(call) {
        const { site, lang }: { site?: string; lang?: Language } = call.query;
        // Where there is one site alone, the page is that site's.
        const all = site === undefined ? await door.sites.list() : [];
        const id = site ?? (all.length === 1 ? all[0]!.id : undefined);
        const rules = id === undefined ? undefined : await door.sites.rules(id);
        return privacyPage(rules, lang ?? languageOf(call.header('accept-language')));
      },
    },
    {
      method: 'GET',
      path: PATH,
      summary: 'The thread as a page, without scripts',
      access: 'public',
      query: PageQuery,
      responses: { 200: { description: 'HTML' }, 404: { description: 'It has no such comment (HTML)' } },
      handle: (call) => showThread(door, call),
    },
    {
      method: 'POST',
      path: PATH,
      summary: 'Submit a comment by the form of that page, or have it shown (`preview`)',
      access: 'public',
      form: true,
      query: PageQuery,
      body: Fields,
      responses: {
        200: { description: 'The preview, in the form (HTML)' },
        303: { description: 'Taken: to the page that says what became of it' },
        422: { description: 'The form again, with what does not fit (HTML)' },
      },
      handle: (call) => takeForm(door, call),
    },
    {
      method: 'GET',
      path: `${PATH}/sent/:id`,
      summary: 'What became of a comment, in words',
      access: 'public',
      query: StatusQuery.extend({ lang: Lang }),
      responses: { 200: { description: 'HTML' }, 404: { description: 'No such comment (HTML)' } },
      handle: (call) => showState(door, call),
    },
  ];
}

async function showThread(
  door: Door,
  call: Call,
  { status = 200, ...filled }: Partial<CommentForm> & { status?: number } = {},
): Promise<Reply> {
  const query: PageQuery = call.query;
  const { site } = await door.sites.rules(call.params.site ?? '');
  const key = normaliseThreadKey(call.params.thread ?? '', site.threadParams);
  const record = await door.sites.thread(site.id, key);
  const speech = spokenBy(call);
  const keeps = keptBy(query);
  const { reply, around = reply, lang: _lang, ...rest } = query;
  const asked = { limit: 100, ...rest };
  const aimed = await threadPage(door, site.id, key, { ...asked, ...(around && { around }) }).catch(missing);
  const shown = aimed ?? (await threadPage(door, site.id, key, asked));
  const target = reply === undefined ? undefined : find(shown.comments, reply);
  const to = target?.state === 'published' ? target : undefined;
  const gone = !aimed || (reply !== undefined && !to);
  const form: CommentForm & { to?: string } = {
    action: threadPath(site.id, key, {
      ...(query.order === 'newest' && { order: query.order }),
      ...(to && { reply: to.id }),
      ...keeps,
    }),
    shown: shownNow(door, site.id),
    ...(to && {
      to: to.id,
      reply: { name: to.author.name, cancel: threadPath(site.id, key, { around: to.id, ...keeps }) },
    }),
    ...(gone && { notice: speech.say('missing') }),
    ...filled,
  };
  const html = renderThreadPage({
    speech,
    site: site.id,
    thread: key,
    ...(record?.title && { title: record.title }),
    ...(record?.url && { url: record.url }),
    comments: shown.comments,
    total: shown.total,
    nextCursor: shown.nextCursor,
    closed: shown.thread.closed,
    holds: shown.thread.holds !== undefined,
    replyDepth: shown.thread.replyDepth,
    order: query.order,
    continued: query.cursor !== undefined || (aimed !== undefined && around !== undefined),
    ...(query.parent && { parent: query.parent }),
    // What was typed is shown again also where nothing can be taken any more.
    ...(((!shown.thread.closed && !query.parent) || filled.draft) && { form }),
    keeps,
    now: door.ports.clock.now(),
  });
  if (status !== 200 || filled.draft || gone) return unkept(gone && status === 200 ? 404 : status, html);
  const answer = cacheable(call, html, HTML);
  return { ...answer, headers: { ...answer.headers, ...PAGE_HEADERS } };
}

/** The same door as for a call of the API, with the words of a form. */
async function takeForm(door: Door, call: Call): Promise<Reply> {
  assertOwnPage(call, door.ports.publicUrl);
  const fields: Fields = call.body;
  const query: PageQuery = call.query;
  const speech = spokenBy(call);
  const draft = draftOf(fields);
  const { site, policy } = await door.sites.rules(call.params.site ?? '');
  const filled = { draft, ...(fields.shown && { shown: fields.shown }) };
  const { bodyBytes } = policy.policy;
  if (fields.preview !== undefined && draft.body.length > bodyBytes) {
    return showThread(door, call, { ...filled, status: 422, faults: { body: speech.fault('long', bodyBytes) } });
  }
  if (fields.preview !== undefined) {
    const preview = render(draft.body.normalize('NFC'), { images: policy.policy.images });
    return showThread(door, call, { ...filled, preview });
  }
  if (draft.notify && draft.email.trim() === '') {
    return showThread(door, call, { ...filled, status: 422, faults: { email: speech.say('needsEmail') } });
  }
  try {
    const about = { site: site.id, lang: speech.lang, reply: query.reply };
    const { body } = await submit(door, submissionOf(door, call, fields, about));
    const { id } = body as { id: string };
    const thread = call.params.thread ?? '';
    const location = sentPath(site.id, thread, id, door.ports.vault.sign('status', id), keptBy(query));
    return { status: 303, headers: { ...PAGE_HEADERS, 'cache-control': 'no-store', location } };
  } catch (error) {
    const known = error instanceof SluiceError ? error : undefined;
    if (!known) door.ports.log.error({ err: error }, 'a form failed');
    const waitS = known?.code === 'Request.TooMany' ? retrySecondsOf(known) : undefined;
    const again = await showThread(door, call, {
      ...filled,
      ...faultsOf(known, speech),
      status: ERRORS[known?.code ?? 'Internal.Bug'].status,
    });
    return { ...again, headers: { ...again.headers, ...(waitS !== undefined && { 'retry-after': String(waitS) }) } };
  }
}

async function showState(door: Door, call: Call): Promise<Reply> {
  const { site = '', thread = '', id = '' } = call.params;
  const { token, ...query }: z.infer<typeof StatusQuery> & Pick<PageQuery, 'lang'> = call.query;
  const speech = spokenBy(call);
  const keeps = keptBy(query);
  const state = await decided(door, id, token);
  const { status } = state;
  const published = status === 'published';
  const back = threadPath(site, thread, published ? { around: id, ...keeps } : keeps);
  const open = status === 'received' || status === 'waiting' || status === 'delayed';
  return unkept(
    status === 'missing' ? 404 : 200,
    renderStatePage(speech, {
      ...state,
      back: published ? `${back}#sluice-${id}` : back,
      ...(open && { again: sentPath(site, thread, id, token, keeps) }),
    }),
  );
}

/** What the writer may know, once it is decided or has taken too long to wait for. */
async function decided(door: Door, id: string, token: string): Promise<{ status: State; reason?: string }> {
  for (let look = 1; ; look++) {
    const state = await readStatus(door, id, token).catch(missing);
    if (!state) return { status: 'missing' };
    if (state.status !== 'received' || look === LOOKS) return state as { status: State; reason?: string };
    await new Promise((done) => setTimeout(done, LOOK_MS));
  }
}

/** For who asks for a comment that is not there. */
function missing(error: unknown): undefined {
  if (!(error instanceof SluiceError) || error.code !== 'Comment.Unknown') throw error;
}

const sentPath = (site: string, thread: string, id: string, token: string, keeps: Record<string, string>): string =>
  `${threadPath(site, thread)}/sent/${encodeURIComponent(id)}?${new URLSearchParams({ token, ...keeps })}`;

const spokenBy = ({ query, header }: Pick<Call, 'query' | 'header'>): PageSpeech =>
  pageSpeech((query as PageQuery).lang ?? languageOf(header('accept-language')));

const keptBy = ({ lang }: Pick<PageQuery, 'lang'>): Record<string, string> => (lang ? { lang } : {});

const unkept = (status: number, text: string): Reply => ({
  status,
  raw: { type: HTML, text },
  headers: { ...PAGE_HEADERS, 'cache-control': 'no-store' },
});

function find(comments: readonly ShownComment[], id: string): ShownComment | undefined {
  for (const comment of comments) {
    const found = comment.id === id ? comment : find(comment.replies, id);
    if (found) return found;
  }
  return undefined;
}
