import { useEffect, useState } from 'preact/hooks';
import { call, Problem } from '../api.ts';
import { wordDiff } from '../diff.ts';
import type { Keys } from '../keys.ts';
import { Ago, Failed, Html, Key, Signals, useRead } from '../parts.tsx';
import type { Entry, Filters } from '../queue.ts';
import type { Action, Brief, Detail, Note, Row } from '../types.ts';
import { dateOnly, t, tMaybe } from '../words.ts';
import { actionsOf, Outcome, Standing } from './standing.tsx';

/** One comment with all that helps to decide it. The row is shown at once; what is read comes into its own place. */
export function CommentDetail({
  entry,
  onRow,
  onAct,
  onFilter,
  onBack,
  onBan,
  onTrust,
  mayTrust,
  keys,
  authors,
}: {
  entry: Entry;
  onRow: (row: Row) => void;
  onAct: (id: string, action: Action) => void;
  onFilter: (some: Partial<Filters>) => void;
  onBack: () => void;
  onBan: () => void;
  onTrust: (row: Row) => void;
  /** For admins: the list of the trusted is part of the policy. */
  mayTrust: boolean;
  keys: Keys;
  authors: readonly { id: string; name: string }[];
}) {
  const { row, state } = entry;
  const { id, version } = row;
  const [path, setPath] = useState<string | undefined>();
  useEffect(() => {
    // Those who only pass by do not read.
    const timer = setTimeout(() => setPath(`/v1/moderation/comments/${encodeURIComponent(id)}`), 90);
    return () => clearTimeout(timer);
  }, [id]);
  const { data, problem, again } = useRead<Detail>(path);
  useEffect(() => {
    if (data && data.version < version) again();
  }, [version]);
  useEffect(() => {
    if (data && data.version > row.version && state === 'open') {
      const { parent: _parent, ...rest } = data;
      onRow({ ...rest, ...(row.parent && { parent: row.parent }) });
    }
  }, [data]);
  const now = Date.now();

  return (
    <article class="detail">
      <header>
        <button type="button" class="plain back" onClick={onBack}>
          ‹ {t('back')}
        </button>
        <h2>
          {row.author.name} <Standing row={row} />
        </h2>
        <p class="quiet">
          {row.thread.url ? (
            <a href={row.thread.url} target="_blank" rel="noopener noreferrer">
              {row.thread.title}
            </a>
          ) : (
            row.thread.title
          )}{' '}
          · <Ago at={row.submittedAt} now={now} /> ·{' '}
          <span class={`status ${row.status}`}>{tMaybe(row.status, row.status)}</span>
          {row.decidedBy && ` ${t('byWhom', { name: row.decidedBy })}`}
        </p>
      </header>
      {row.parent && (
        <blockquote class="parent">
          <p class="quiet">
            {t('inReplyTo')} {row.parent.author}
          </p>
          {data?.parent ? (
            <Html html={data.parent.html} />
          ) : (
            <p class="prose" dir="auto">
              {row.parent.excerpt}
            </p>
          )}
        </blockquote>
      )}
      {row.pendingRevision !== null && <p class="notice warn">{t('editWaits')}</p>}
      <div class="text" lang={row.lang || undefined} dir="auto">
        <Html html={row.html} />
      </div>
      {row.appeal && (
        <div class="notice warn">
          <h3>{t('appealText')}</h3>
          <p>{row.appeal.text}</p>
        </div>
      )}
      <div class="decide">
        {state === 'open' || state === 'failed' ? (
          actionsOf(row).map(({ action, word, command }, index) => (
            <button key={action} type="button" class={index === 0 ? 'main' : ''} onClick={() => onAct(id, action)}>
              {t(word)} {command && keys.on && <Key>{keys.keys[command]}</Key>}
            </button>
          ))
        ) : (
          <p class={`outcome ${state}`}>
            <Outcome entry={entry} />
          </p>
        )}
      </div>
      {problem && <Failed problem={problem} again={again} />}
      <section>
        <h3>
          {t('whyHeld')}
          {row.holdReason && `: ${tMaybe(`h_${row.holdReason}`, row.holdReason)}`}{' '}
          {row.score !== undefined && (
            <span class="quiet">
              {t('spamScore', { n: Math.round(row.score * 100) })}
              {(row.toxicity ?? 0) >= 0.2 && ` · ${t('toxicity', { n: Math.round((row.toxicity ?? 0) * 100) })}`}
            </span>
          )}
        </h3>
        <Signals signals={data?.signals ?? row.top} />
      </section>
      {/* Below what is read, and with it: nothing that was there moves. */}
      {(data || problem) && (
        <>
          {data && row.pendingRevision !== null && <Changed detail={data} />}
          <section>
            <h3>{t('writerHistory')}</h3>
            <p class="quiet">
              {t('historyLine', {
                published: row.author.published,
                rejected: row.author.rejected,
                spam: row.author.spam,
                date: dateOnly(row.author.firstSeen),
              })}
            </p>
            {data && <Briefs briefs={data.history.slice(0, 5)} empty={t('noHistory')} />}
            <button type="button" class="plain" onClick={() => onFilter({ author: row.author.key })}>
              {t('filterWriter')}
            </button>
            {!row.author.role && (
              <button type="button" class="plain" onClick={onBan}>
                {t('ban')}…
              </button>
            )}
            {!row.author.role && !row.author.trusted && mayTrust && (
              <button type="button" class="plain" onClick={() => onTrust(row)}>
                {t('trustWriter')}
              </button>
            )}
          </section>
          {data && data.similarComments.length > 0 && (
            <section>
              <h3>{t('alike')}</h3>
              <Briefs briefs={data.similarComments.slice(0, 5)} empty="" />
              <button type="button" class="plain" onClick={() => onFilter({ fingerprint: row.fingerprint })}>
                {t('showAlike')}
              </button>
            </section>
          )}
          {data && data.around.length > 0 && (
            <section>
              <h3>{t('around')}</h3>
              <Briefs briefs={data.around} empty="" />
            </section>
          )}
          {row.status === 'published' && <Reply id={id} authors={authors} />}
          {data && <Notes id={id} notes={data.notes} onAdded={again} />}
          <p>
            <a href={`#/comments/${encodeURIComponent(id)}`}>
              {t('story')} {keys.on && <Key>{keys.keys.story}</Key>}
            </a>
          </p>
        </>
      )}
    </article>
  );
}

function Briefs({ briefs, empty }: { briefs: readonly Brief[]; empty: string }) {
  if (briefs.length === 0) return empty ? <p class="quiet">{empty}</p> : null;
  return (
    <ul class="briefs">
      {briefs.map((brief) => (
        <li key={brief.id}>
          <span class={`status ${brief.status}`}>{tMaybe(brief.status, brief.status)}</span>{' '}
          <a href={`#/comments/${encodeURIComponent(brief.id)}`}>{brief.author}</a>{' '}
          <span dir="auto">{brief.excerpt}</span>
        </li>
      ))}
    </ul>
  );
}

/** The published words and the waiting ones, those that differ marked. */
function Changed({ detail }: { detail: Detail }) {
  const of = (revision: number | null) => detail.revisions.find((one) => one.revision === revision)?.body ?? '';
  const parts = wordDiff(of(detail.publishedRevision), of(detail.pendingRevision));
  return (
    <section>
      <h3>{t('whatChanged')}</h3>
      <p class="diff">
        {parts.map(({ kind, text }, index) =>
          kind === 'same' ? text : kind === 'gone' ? <del key={index}>{text}</del> : <ins key={index}>{text}</ins>,
        )}
      </p>
    </section>
  );
}

/** Answers a published comment without leaving the queue. */
function Reply({ id, authors }: { id: string; authors: readonly { id: string; name: string }[] }) {
  const [said, setSaid] = useState('');
  const [fault, setFault] = useState('');
  // One key until it is taken: a click that is sent twice is one reply.
  const [key, setKey] = useState(() => crypto.randomUUID());
  const send = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const fields = new FormData(form);
    const author = String(fields.get('author') ?? '');
    try {
      await call('POST', `/v1/moderation/comments/${encodeURIComponent(id)}/replies`, {
        body: { body: fields.get('body'), ...(author && { author }) },
        headers: { 'idempotency-key': key },
      });
      form.reset();
      setKey(crypto.randomUUID());
      setSaid(t('replySent'));
      setFault('');
    } catch (error) {
      setFault(error instanceof Problem ? error.message : String(error));
    }
  };
  return (
    <section>
      <h3>{t('reply')}</h3>
      <form class="reply" onSubmit={send}>
        <label class="hidden" for="reply-body">
          {t('reply')}
        </label>
        <textarea id="reply-body" name="body" rows={3} required maxLength={16_000} />
        <div class="inline">
          {authors.length > 0 && (
            <select name="author" aria-label={t('replyAs')}>
              {authors.map((author) => (
                <option key={author.id} value={author.id}>
                  {author.name}
                </option>
              ))}
              <option value="">{t('moderator')}</option>
            </select>
          )}
          <button type="submit">{t('reply')}</button>
        </div>
      </form>
      <p class="said" role="status">
        {said}
      </p>
      <p class="fault" role="alert">
        {fault}
      </p>
    </section>
  );
}

function Notes({ id, notes, onAdded }: { id: string; notes: readonly Note[]; onAdded: () => void }) {
  const [text, setText] = useState('');
  const [fault, setFault] = useState('');
  const add = async (event: Event) => {
    event.preventDefault();
    try {
      await call('POST', `/v1/moderation/comments/${encodeURIComponent(id)}/notes`, { body: { text } });
      setText('');
      setFault('');
      onAdded();
    } catch (error) {
      setFault(error instanceof Problem ? error.message : String(error));
    }
  };
  return (
    <section>
      <h3>{t('notes')}</h3>
      <ul class="notes">
        {notes.map((note) => (
          <li key={note.id}>
            <p class="quiet">
              {note.by} · <Ago at={note.at} now={Date.now()} />
            </p>
            <p>{note.text}</p>
          </li>
        ))}
      </ul>
      <form class="inline" onSubmit={add}>
        <label class="hidden" for="note">
          {t('addNote')}
        </label>
        <input
          id="note"
          value={text}
          maxLength={2000}
          placeholder={t('addNote')}
          required
          onInput={(event) => setText(event.currentTarget.value)}
        />
        <button type="submit">{t('add')}</button>
      </form>
      <p class="fault" role="alert">
        {fault}
      </p>
    </section>
  );
}
