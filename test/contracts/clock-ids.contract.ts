import { decodeTime } from 'ulid';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Clock, Ids } from '../../shared/ports.ts';

export type ClockIdsRig = { clock: Clock; ids: Ids; close(): Promise<void> };

/** Every promise of `Clock` and `Ids`, asked of one adapter. */
export function clockIdsContract(adapter: string, rig: () => Promise<ClockIdsRig>): void {
  describe(`clock and ids contract, ${adapter}`, () => {
    let at: ClockIdsRig;
    beforeAll(async () => {
      at = await rig();
    });
    afterAll(() => at.close());

    it('tells the time in milliseconds since the epoch', () => {
      const now = at.clock.now();
      expect(Number.isInteger(now)).toBe(true);
      expect(Math.abs(now - Date.now())).toBeLessThan(60_000);
    });

    it('makes ids of 26 characters that need no escaping in a URL', () => {
      const id = at.ids.next();
      expect(id).toMatch(/^[0-9A-Z]{26}$/);
      expect(encodeURIComponent(id)).toBe(id);
    });

    it('makes ids that carry their time', () => {
      const before = at.clock.now();
      const made = decodeTime(at.ids.next());
      expect(made).toBeGreaterThanOrEqual(before);
      expect(made).toBeLessThanOrEqual(at.clock.now());
    });

    it('makes no id twice, and a later one sorts behind, within one millisecond too', () => {
      const ids = Array.from({ length: 20_000 }, () => at.ids.next());
      expect(new Set(ids).size).toBe(ids.length);
      expect(ids).toEqual(ids.toSorted());
    });
  });
}
