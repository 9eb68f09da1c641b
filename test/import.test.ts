import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { afterEach, expect, it } from 'vitest';
import type { ExportRow } from '../services/import/sluice.ts';
import { testInstance } from './instance.ts';

const run = promisify(execFile);
const folders: string[] = [];
const folder = () => {
  folders.push(mkdtempSync(join(tmpdir(), 'sluice-import-')));
  return folders.at(-1) as string;
};
afterEach(() => folders.splice(0).forEach((path) => rmSync(path, { recursive: true, force: true })));

const sluice = async (data: string, ...words: string[]) =>
  (await run(process.execPath, ['infra/sluice.ts', ...words], { env: { ...process.env, SLUICE_DATA: data } })).stdout;

const FILE = JSON.stringify([
  {
    id: '/a/',
    title: 'A',
    comments: [
      { id: 1, author: 'Ada', email: 'ada@example.org', created: '2020-01-02 03:04:05', text: 'First *words*.' },
      { id: 2, parent: 1, author: '', created: '2020-01-02 03:05:05', text: 'An answer.' },
    ],
  },
]);

/** Rows without what each folder makes anew. */
const rowsOf = (file: string) =>
  readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as ExportRow)
    .filter(({ type }) => type === 'comment' || type === 'thread' || type === 'end')
    .map((row) => {
      if (row.type !== 'comment') return row;
      const { contact, key, ...author } = row.comment.author;
      const known = contact !== undefined;
      return { ...row, comment: { ...row.comment, author: { ...author, known, ...(!known && { key }) } } };
    });

it('moves a site between two folders by its own export', { timeout: 60_000 }, async () => {
  const [here, there] = [folder(), folder()];
  const file = join(here, 'isso.json');
  writeFileSync(file, FILE);
  expect(JSON.parse(await sluice(join(here, 'data'), 'import', file, '--json'))).toMatchObject({ imported: 2 });
  writeFileSync(join(here, 'own.jsonl'), 'of another day', { mode: 0o644 });
  const said = await sluice(join(here, 'data'), 'export', '--contacts', join(here, 'own.jsonl'));
  const written = statSync(join(here, 'own.jsonl'));
  expect(said).toBe(`Wrote ${join(here, 'own.jsonl')} (${Math.ceil(written.size / 1000)} kB).\n`);
  expect(written.mode & 0o777).toBe(0o600);
  const moved = JSON.parse(await sluice(join(there, 'data'), 'import', join(here, 'own.jsonl'), '--json'));
  expect(moved).toMatchObject({ format: 'sluice', threads: 1, comments: 2, imported: 2, skipped: [] });
  await sluice(join(there, 'data'), 'export', '--contacts', join(there, 'own.jsonl'));
  expect(rowsOf(join(there, 'own.jsonl'))).toEqual(rowsOf(join(here, 'own.jsonl')));
  const person = JSON.parse(await sluice(join(there, 'data'), 'export', '--person', 'ada@example.org'));
  expect(person).toMatchObject({
    comments: [{ revisions: [{ body: 'First *words*.' }] }],
    writers: [{ history: { published: 1 } }],
  });
  await sluice(join(there, 'data'), 'forget', '--email', 'ada@example.org');
  expect(await sluice(join(there, 'data'), 'export', '--contacts')).not.toMatch(/Ada|ada@|First \*|words/);
});

it('imports beside a running server, which goes on taking comments', { timeout: 60_000 }, async () => {
  const here = folder();
  const instance = await testInstance({ SLUICE_DATA: join(here, 'data') });
  const file = join(here, 'isso.json');
  const comments = Array.from({ length: 5000 }, (_, n) => ({
    id: n + 1,
    author: `Reader ${n % 50}`,
    created: '2020-01-02 03:04:05',
    text: `Text number ${n}.`,
  }));
  writeFileSync(file, JSON.stringify([{ id: '/long/', title: 'Long', comments }]));
  try {
    let running = true;
    const importing = sluice(join(here, 'data'), 'import', file, '--json').finally(() => (running = false));
    let sent = 0;
    let longestMs = 0;
    while (running) {
      const began = performance.now();
      const body = { author: { name: 'Ada' }, body: `A remark while it runs, number ${sent}.` };
      const { status } = await instance.call('POST', '/v1/sites/demo/threads/now/comments', body);
      longestMs = Math.max(longestMs, performance.now() - began);
      if (status === 202) sent += 1;
      await new Promise((done) => setTimeout(done, 20));
    }
    expect(JSON.parse(await importing)).toMatchObject({ imported: 5000, skipped: [] });
    await instance.quiet();
    const total = async (key: string) =>
      (await instance.call('GET', `/v1/sites/demo/threads/${encodeURIComponent(key)}/comments`)).body.total as number;
    expect(await total('/long')).toBe(5000);
    expect([sent, await total('now')]).toEqual([sent, sent]);
    expect(sent).toBeGreaterThan(5);
    // Each transaction of the import is a batch; a request waits for one at most.
    expect(longestMs).toBeLessThan(5000);
  } finally {
    await instance.end();
  }
});

it('imports the same file into two sites, each with its own comments', { timeout: 60_000 }, async () => {
  const data = join(folder(), 'data');
  const file = join(folder(), 'isso.json');
  writeFileSync(file, FILE);
  await sluice(data, 'site', 'add', 'other');
  for (const site of ['demo', 'other']) {
    expect(JSON.parse(await sluice(data, 'import', file, '--json', '--site', site))).toMatchObject({ imported: 2 });
  }
});

it('keeps posts apart that a listed parameter names, as plain permalinks do', { timeout: 60_000 }, async () => {
  const data = join(folder(), 'data');
  const file = join(folder(), 'isso.json');
  const [post] = JSON.parse(FILE) as { id: string }[];
  writeFileSync(file, JSON.stringify(['/?p=4', '/?p=6'].map((id) => ({ ...post, id }))));
  await sluice(data, 'site', 'add', 'plain', '--thread-param', 'p', 'page_id');
  expect(JSON.parse(await sluice(data, 'import', file, '--json', '--site', 'plain'))).toMatchObject({ threads: 2 });
  const exported = await sluice(data, 'export', '--site', 'plain');
  expect(exported).toContain('"/?p=4"');
  expect(exported).toContain('"/?p=6"');
});

it('keeps to each comment its own text, in more batches than may wait at once', { timeout: 120_000 }, async () => {
  const here = folder();
  const data = join(here, 'data');
  const comments = Array.from({ length: 16_000 }, (_, n) => {
    return { id: n + 1, author: 'Ada', created: '2020-01-02 03:04:05', text: `Number ${n + 1}.` };
  });
  writeFileSync(join(here, 'isso.json'), JSON.stringify([{ id: '/a/', title: 'A', comments }]));
  const report = JSON.parse(await sluice(data, 'import', join(here, 'isso.json'), '--json'));
  expect(report).toMatchObject({ imported: 16_000, skipped: [] });
  const database = new DatabaseSync(join(data, 'sluice.db'), { readOnly: true });
  const bodies = database
    .prepare(`SELECT DISTINCT doc ->> '$.body' AS body FROM item WHERE sk = 'R#000000000001'`)
    .all();
  const paired = database.prepare(`SELECT count(*) AS n FROM item AS text JOIN item AS head ON head.pk = text.pk
    WHERE text.sk LIKE 'R#%' AND head.sk = 'head' AND head.doc ->> '$.excerpt' = text.doc ->> '$.body'
    AND text.doc ->> '$.commentId' = head.doc ->> '$.id' AND text.doc ->> '$.pk' = text.pk`);
  expect(bodies).toHaveLength(16_000);
  expect(paired.get()).toEqual({ n: 16_000 });
  database.close();
});

it('makes no data folder for a dry run', { timeout: 60_000 }, async () => {
  const here = folder();
  writeFileSync(join(here, 'isso.json'), FILE);
  await sluice(join(here, 'data'), 'import', join(here, 'isso.json'), '--dry-run');
  expect(existsSync(join(here, 'data'))).toBe(false);
});

it('says in a sentence where it cannot write, and nothing when nobody reads on', { timeout: 60_000 }, async () => {
  const data = join(folder(), 'data');
  const file = join(folder(), 'isso.json');
  writeFileSync(file, FILE);
  await sluice(data, 'import', file);
  const failed = (...words: string[]) =>
    sluice(data, ...words).then(
      () => 'it did',
      ({ stderr }: { stderr: string }) => stderr,
    );
  expect(await failed('export', join(data, 'no-folder', 'x.jsonl'))).toMatch(
    /^ENOENT: [^\n]*no-folder[^\n]*\ncheck the path[^\n]*\n$/,
  );
  expect(await failed('forget', '--email', 'Mina')).toBe('"Mina" is no e-mail address\nsuch as mina@people.example\n');
  const { stdout, stderr } = await run('sh', ['-c', `"${process.execPath}" infra/sluice.ts export | head -c 8`], {
    env: { ...process.env, SLUICE_DATA: data },
  });
  expect([stdout, stderr]).toEqual(['{"type":', '']);
});

const DATA = process.env.SLUICE_TEST_DATA;
const KNOWN: [file: string, counts: object][] = [
  ['disqus/isso-disqus.xml', { threads: 3, comments: 6, replies: 2, authors: 2 }],
  [
    'wordpress/wp-importer-theme-unit-test-data.xml',
    { threads: 7, comments: 33, replies: 10, authors: 12, imported: 29 },
  ],
  ['wordpress/wp-importer-small-export.xml', { comments: 1, imported: 1 }],
  ['wordpress/wp-importer-valid-wxr-1.0.xml', { comments: 1, imported: 1 }],
  ['other/commento.json', { threads: 2, comments: 3, authors: 2, imported: 3 }],
  ['other/isso-generic.json', { threads: 2, comments: 2, imported: 2 }],
];
// Real exports are not part of this repository.
it.skipIf(!DATA).each(KNOWN)('imports %s with the counts that it holds', { timeout: 60_000 }, async (file, counts) => {
  const report = JSON.parse(await sluice(join(folder(), 'data'), 'import', join(DATA ?? '', 'import', file), '--json'));
  expect(report).toMatchObject(counts);
});
