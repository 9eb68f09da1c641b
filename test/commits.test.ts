import { afterEach, beforeEach, expect, it } from 'vitest';
import { openDatabase, type Database } from '../infra/local/database.ts';
import { loseGroup } from './workflows/pipeline.ts';

let database: Database;

beforeEach(() => {
  database = openDatabase(':memory:');
  database.sqlite.exec('CREATE TABLE note (text TEXT)');
});
afterEach(() => database.close());

const add = (text: string) => () => void database.sqlite.prepare('INSERT INTO note VALUES (?)').run(text);
const notes = () =>
  database.sqlite
    .prepare('SELECT text FROM note')
    .all()
    .map(({ text }) => text);

it('resolves a write once its group is committed', async () => {
  let committed = false;
  const written = database.write(add('one')).then(() => (committed = true));
  await Promise.resolve();
  expect([committed, database.sqlite.isTransaction]).toEqual([false, true]);
  await written;
  expect(database.sqlite.isTransaction).toBe(false);
});

it('resolves a write in order while its group is open, and commits it with what waits for the disk after it', async () => {
  await database.inOrder.write(add('one'));
  expect(database.sqlite.isTransaction).toBe(true);
  await database.write(add('two'));
  expect(database.sqlite.isTransaction).toBe(false);
  expect(notes()).toEqual(['one', 'two']);
});

it('commits writes in order though nobody waits for the disk', async () => {
  await database.inOrder.writeOne(add('one'));
  await expect.poll(() => database.sqlite.isTransaction).toBe(false);
  expect(notes()).toEqual(['one']);
});

it.each(['write', 'writeOne'] as const)('tells a %s whose group is lost, and counts the group', async (write) => {
  await database.inOrder.write(add('seen'));
  const refused = database[write](add('refused')).catch((error: unknown) => error);
  loseGroup(database);
  expect(await refused).toMatchObject({ code: 'Store.Busy' });
  expect([notes(), database.lost()]).toEqual([[], 1]);
  await database.write(add('later'));
  expect([notes(), database.lost()]).toEqual([['later'], 1]);
});

it('takes back alone what a write in order did before it threw', async () => {
  await database.inOrder.write(add('one'));
  const half = () => {
    add('half')();
    throw new Error('no');
  };
  await expect(database.inOrder.write(half)).rejects.toThrow('no');
  await database.write(add('two'));
  expect(notes()).toEqual(['one', 'two']);
});
