import { SluiceError } from '../../shared/errors.ts';
import type { Clock, Table } from '../../shared/ports.ts';
import { EMPTY_SITE, type SiteWeights } from './lesson.ts';

/** How long a site's lessons may be remembered by a process that only reads them. */
const REMEMBER_MS = 10_000;
const REMEMBERED_SITES = 500;
const RACES = 8;

export type Lessons = ReturnType<typeof lessonsOf>;

/** What each site's moderators taught, one versioned document a site. */
export function lessonsOf(table: Table, clock: Clock) {
  const remembered = new Map<string, { at: number; weights: SiteWeights }>();
  const key = (site: string) => ({ pk: `S#${site}`, sk: 'lessons' });

  return {
    /** At most 10 s old; the same object while it lives, so that what is fitted from it is fitted once. */
    async of(site: string): Promise<SiteWeights> {
      const now = clock.now();
      const hit = remembered.get(site);
      if (hit && now - hit.at < REMEMBER_MS) return hit.weights;
      const item = await table.get(key(site));
      const weights = (item?.weights as SiteWeights | undefined) ?? EMPTY_SITE;
      if (remembered.size >= REMEMBERED_SITES) remembered.clear();
      remembered.set(site, { at: now, weights });
      return weights;
    },

    /**
     * Changes them by a pure function, on the newest version; nothing is written where it returns what it was given.
     *
     * @returns whether anything changed; throws `Store.Busy` where others were always faster
     */
    async change(site: string, by: (weights: SiteWeights) => SiteWeights | Promise<SiteWeights>): Promise<boolean> {
      for (let race = 0; race < RACES; race++) {
        const item = await table.get(key(site));
        const before = (item?.weights as SiteWeights | undefined) ?? EMPTY_SITE;
        const after = await by(before);
        if (after === before) return false;
        const version = Number(item?.version ?? 0);
        const result = await table.write([
          { put: { ...key(site), version: version + 1, weights: after }, if: item ? { version } : 'absent' },
        ]);
        remembered.delete(site);
        if (result.done) return true;
      }
      throw new SluiceError('Store.Busy', `the lessons of ${site} change too fast`, { hint: 'tried again' });
    },
  };
}
