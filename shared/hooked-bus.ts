import { PIPELINE_SOURCE } from './events.ts';
import type { Bus, Clock, Table } from './ports.ts';
import { wantedOf } from './store/webhooks.ts';

/**
 * Marks what a webhook of its site wants to hear of (`hooks: true` in the detail); the rule of `webhooks` matches the mark
 * alone. A site without webhooks costs one small read in 5 s, and no message.
 */
export function hookedBus(bus: Bus, table: Table, clock: Clock): Bus {
  const wanted = wantedOf(table, clock);
  return {
    async put(entries) {
      const marked = await Promise.all(
        entries.map(async (entry) => {
          const detail = entry.detail as { site?: string };
          if (entry.source !== PIPELINE_SOURCE || !detail.site) return entry;
          if (!(await wanted(detail.site)).has(entry.type)) return entry;
          return { ...entry, detail: { ...detail, hooks: true } };
        }),
      );
      return bus.put(marked);
    },
  };
}
