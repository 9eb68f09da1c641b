import { Dialog } from '../parts.tsx';
import type { Filters } from '../queue.ts';
import { t, type Word } from '../words.ts';

/** What narrows the list, besides site, status, search and order. */
export const FILTER_WORDS = {
  author: 'filterAuthor',
  thread: 'filterThread',
  signal: 'filterSignal',
  lang: 'filterLang',
  linkHost: 'filterHost',
  network: 'filterNetwork',
  decidedBy: 'filterDecidedBy',
  since: 'filterSince',
  until: 'filterUntil',
  fingerprint: 'filterLike',
} as const satisfies Partial<Record<keyof Filters, Word>>;

type Name = keyof typeof FILTER_WORDS;
const NAMES = Object.keys(FILTER_WORDS) as Name[];
const DAYS: readonly Name[] = ['since', 'until'];

export function FilterDialog({
  filters,
  onPick,
  onClose,
}: {
  filters: Filters;
  onPick: (filters: Filters) => void;
  onClose: () => void;
}) {
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    onPick({ ...filters, ...Object.fromEntries(NAMES.map((name) => [name, String(form.get(name) ?? '').trim()])) });
  };
  return (
    <Dialog wide label={t('filters')} onClose={onClose}>
      <form class="fields" onSubmit={submit}>
        {NAMES.map((name, index) => (
          <label key={name} class="field">
            {t(FILTER_WORDS[name])}
            {DAYS.includes(name) ? (
              <input name={name} type="date" defaultValue={filters[name]} />
            ) : (
              <input name={name} maxLength={400} defaultValue={filters[name]} autofocus={index === 0} />
            )}
          </label>
        ))}
        <p class="form-end">
          <button type="submit" class="main">
            {t('applyFilters')}
          </button>
          <button
            type="button"
            onClick={() => onPick({ ...filters, ...Object.fromEntries(NAMES.map((name) => [name, ''])) })}
          >
            {t('clearFilters')}
          </button>
        </p>
      </form>
    </Dialog>
  );
}
