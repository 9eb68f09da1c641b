import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Bus } from '../../shared/ports.ts';

export type BusRig = {
  bus: Bus;
  /** What the bus took so far, in order, as it would hand it on. */
  taken(): Promise<readonly { source: string; type: string; detail: unknown }[]>;
  /** Makes the far end refuse entries of this detail type, so many times; unset where it cannot. */
  refuse?: (type: string, times: number) => void;
  close(): Promise<void>;
};

/** Every promise of `Bus`, asked of one adapter. */
export function busContract(adapter: string, rig: () => Promise<BusRig>): void {
  describe(`bus contract, ${adapter}`, () => {
    let at: BusRig;
    beforeAll(async () => {
      at = await rig();
    });
    afterAll(() => at.close());
    const taken = async (type: string) => (await at.taken()).filter((one) => one.type === type);

    it('takes an event as it is', async () => {
      const detail = { schema: 1, text: 'Grüße 👋 "x" \\', nothing: null, list: [1, { two: [] }] };
      const ids = await at.bus.put([entry('AsItIs', detail)]);
      expect(ids).toHaveLength(1);
      expect(await taken('AsItIs')).toEqual([{ source: 'sluice.pipeline', type: 'AsItIs', detail }]);
    });

    it('takes nothing', async () => {
      expect(await at.bus.put([])).toEqual([]);
    });

    it('takes more at once than one call of the service, each with an id of its own, in order', async () => {
      const entries = Array.from({ length: 25 }, (_, n) => entry('Many', { n }));
      const ids = await at.bus.put(entries);
      expect(new Set(ids).size).toBe(25);
      expect((await taken('Many')).map(({ detail }) => (detail as { n: number }).n).toSorted((a, b) => a - b)).toEqual(
        entries.map((_, n) => n),
      );
    });

    it('takes many large ones', async () => {
      const text = 'x'.repeat(60_000);
      expect(await at.bus.put(Array.from({ length: 6 }, (_, n) => entry('Large', { n, text })))).toHaveLength(6);
      expect(await taken('Large')).toHaveLength(6);
    });

    it('sends again the one that failed, and no other', async ({ skip }) => {
      const { refuse } = at;
      if (!refuse) return skip('nothing between this bus and its table can refuse one entry of several');
      refuse('Twice', 2);
      expect(await at.bus.put([entry('Before'), entry('Twice'), entry('After')])).toHaveLength(3);
      expect(await taken('Before')).toHaveLength(1);
      expect(await taken('Twice')).toHaveLength(1);
      expect(await taken('After')).toHaveLength(1);
    });

    it('says so when sending again does not help', async ({ skip }) => {
      const { refuse } = at;
      if (!refuse) return skip('nothing between this bus and its table can refuse one entry of several');
      refuse('Never', 1000);
      await expect(at.bus.put([entry('Never')])).rejects.toMatchObject({ code: 'Bus.Refused' });
    });
  });
}

const entry = (type: string, detail: unknown = { schema: 1 }) => ({ source: 'sluice.pipeline', type, detail });
