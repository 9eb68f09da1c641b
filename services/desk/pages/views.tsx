import { useEffect, useState } from 'preact/hooks';
import { call } from '../api.ts';
import { Dialog } from '../parts.tsx';
import { NO_FILTERS, type Filters } from '../queue.ts';
import { t } from '../words.ts';

type View = { name: string; filters: Partial<Filters> };
const PATH = '/v1/moderation/views';

/** The views that one saved, to choose and to add to. */
export function Views({ filters, onPick }: { filters: Filters; onPick: (filters: Filters) => void }) {
  const [views, setViews] = useState<readonly View[]>([]);
  const [naming, setNaming] = useState(false);
  useEffect(() => {
    call<{ views: View[] }>('GET', PATH)
      .then((found) => setViews(found.views))
      .catch(() => undefined);
  }, []);
  const keep = async (next: readonly View[]) => {
    const { views: kept } = await call<{ views: View[] }>('PUT', PATH, { body: { views: next } });
    setViews(kept);
  };
  const same = (view: View) => JSON.stringify({ ...NO_FILTERS, ...view.filters }) === JSON.stringify(filters);
  const current = views.findIndex(same);
  const choose = (value: string) => {
    if (value === 'save') setNaming(true);
    else if (value === 'delete') void keep(views.filter((view) => !same(view)));
    else {
      const view = views[Number(value)];
      if (view) onPick({ ...NO_FILTERS, ...view.filters });
    }
  };
  const save = (event: SubmitEvent) => {
    event.preventDefault();
    const name = String(new FormData(event.currentTarget as HTMLFormElement).get('name')).trim();
    setNaming(false);
    void keep([...views.filter((view) => view.name !== name && !same(view)), { name, filters: { ...filters } }]);
  };
  return (
    <>
      <select
        aria-label={t('views')}
        value={current < 0 ? '' : String(current)}
        onChange={(event) => {
          choose(event.currentTarget.value);
          event.currentTarget.value = current < 0 ? '' : String(current);
        }}
      >
        <option value="">{t('views')}</option>
        {views.map((view, index) => (
          <option key={view.name} value={String(index)}>
            {view.name}
          </option>
        ))}
        {current < 0 ? (
          <option value="save">{t('saveView')}…</option>
        ) : (
          <option value="delete">{t('deleteView')}</option>
        )}
      </select>
      {naming && (
        <Dialog label={t('saveView')} onClose={() => setNaming(false)}>
          <form class="inline" onSubmit={save}>
            <label class="hidden" for="view-name">
              {t('viewName')}
            </label>
            <input id="view-name" name="name" required maxLength={60} placeholder={t('viewName')} autofocus />
            <button type="submit" class="main">
              {t('save')}
            </button>
          </form>
        </Dialog>
      )}
    </>
  );
}
