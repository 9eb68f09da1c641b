import { expect, it } from 'vitest';
import { memoryPorts } from '../../test/fakes.ts';
import { contactsOf } from '../../shared/store/contacts.ts';
import { suppress } from './commands.ts';
import type { Place, Stored } from './place.ts';

it('keeps mail from an address on every site, until that is lifted', async () => {
  const ports = memoryPorts();
  const place = { stored: (_need: unknown, work: (stored: Stored) => unknown) => work(ports as unknown as Stored) };
  const contacts = contactsOf(ports.table, ports.vault, ports.clock);
  const barred = (site: string) => contacts.barred(contacts.hashOf('ada@people.example'), site, '/post');
  await suppress(place as Place, 'Ada@People.example', { complaint: true });
  expect([await barred('blog'), await barred('other')]).toEqual(['suppressed: complained', 'suppressed: complained']);
  await suppress(place as Place, 'ada@people.example', { lift: true });
  expect(await barred('blog')).toBeUndefined();
  await expect(suppress(place as Place, 'nobody', {})).rejects.toMatchObject({ code: 'Config.Invalid' });
});
