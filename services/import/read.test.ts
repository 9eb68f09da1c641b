import { statSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { DatabaseSync } from 'node:sqlite';
import { gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  artran,
  chunks,
  collect,
  commentsOf,
  disqus,
  post,
  readAll,
  reasonsOf,
  warningsOf,
  wpComment,
  wpItem,
  wxr,
} from './fixtures.ts';
import { formatOf, read, readFile } from './read.ts';
import type { ImportFormat } from './record.ts';
import { type Report, ReportCollector } from './report.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-import-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function reportOf(path: string): Promise<Report> {
  const collector = new ReportCollector();
  for await (const item of readFile(path, { onFormat: (format) => (collector.format = format) })) collector.see(item);
  return collector.report();
}

describe('Disqus', () => {
  it('keeps threads, dates, writers, replies and statuses', async () => {
    const items = await readAll(
      disqus(
        post('1', { author: '<name>Ann</name><email>ann@example.org</email><username>ann1</username>' }) +
          post('2', { parent: '1', extra: '<ipAddress>203.0.113.9</ipAddress>' }) +
          post('3').replace('<isSpam>false', '<isSpam>true') +
          post('4').replace('<isDeleted>false', '<isDeleted>true'),
      ),
    );
    expect(items[0]).toMatchObject({
      kind: 'thread',
      key: 'https://garden.example/2020/bees/',
      title: 'On bees & figs',
      line: 4,
    });
    expect(commentsOf(items)).toMatchObject([
      { sourceId: '1', author: { name: 'Ann', email: 'ann@example.org' }, body: 'Words of 1.', status: 'published' },
      {
        sourceId: '2',
        parentSourceId: '1',
        author: { name: 'Writer 2', ip: '203.0.113.9' },
        at: Date.UTC(2020, 4, 3, 8),
      },
      { sourceId: '3', status: 'spam' },
      { sourceId: '4', status: 'deleted', body: '' },
    ]);
    expect(reasonsOf(items)).toEqual([]);
  });

  it('names a thread by its link, and remembers what the page called it', async () => {
    const thread = '<thread dsq:id="11"><id>figs-1</id><link>https://garden.example/figs/</link></thread>';
    expect((await readAll(disqus(thread)))[1]).toMatchObject({
      key: 'https://garden.example/figs/',
      aliases: ['figs-1'],
    });
  });

  it('reads posts that stand before their thread, and reports those whose thread is missing', async () => {
    const late = '<thread dsq:id="12"><id/><link>https://garden.example/late/</link></thread>';
    const items = await readAll(disqus(post('1', { thread: '12' }) + post('2', { thread: '99' }) + late));
    expect(commentsOf(items).map(({ thread }) => thread.key)).toEqual(['https://garden.example/late/']);
    expect(reasonsOf(items)).toEqual(['15: The post 2 belongs to thread 99, which is not in the file.']);
  });

  it('takes an author without name or address, and a post without an id', async () => {
    const items = await readAll(
      disqus(post('1', { author: '<email/><name/>' }).replace('<post dsq:id="1">', '<post>')),
    );
    expect(commentsOf(items)).toMatchObject([{ author: { name: '' }, sourceId: expect.stringMatching(/^h:/) }]);
  });

  it('loses one post to a fault in it, by its line', async () => {
    const broken = post('2').replace('<thread dsq:id="10"/>', '<thread dsq:id=10/>');
    const items = await readAll(disqus(post('1') + broken + post('3')));
    expect(commentsOf(items).map(({ sourceId }) => sourceId)).toEqual(['1', '3']);
    expect(reasonsOf(items)).toEqual([
      '22: The <post> that begins at line 15 cannot be read: unquoted attribute value.',
    ]);
  });

  it('reports each of several broken posts in a row', async () => {
    const broken = ['1', '2'].map((id) => post(id).replace('</message>', '')).join('');
    const items = await readAll(disqus(broken + post('3')));
    expect(commentsOf(items).map(({ sourceId }) => sourceId)).toEqual(['3']);
    expect(reasonsOf(items)).toHaveLength(2);
  });

  it('sees that a post is not closed when the next begins', async () => {
    const items = await readAll(disqus(post('1').replace('</post>', '') + post('2') + post('3')));
    expect(commentsOf(items).map(({ sourceId }) => sourceId)).toEqual(['2', '3']);
    expect(reasonsOf(items)).toEqual([
      expect.stringContaining(
        'The <post> that begins at line 5 cannot be read: it is not closed before the next <post>',
      ),
    ]);
  });

  it('sees that a text is not closed, and reads no record from inside a text', async () => {
    const items = await readAll(disqus(post('1').replace(']]>', '') + post('2') + post('3')));
    expect(commentsOf(items).map(({ sourceId }) => sourceId)).toEqual(['3']);
    expect(reasonsOf(items)).toEqual([
      expect.stringMatching(/^5: A text in the <post> that begins here is not closed/),
    ]);
  });

  it('is not led astray by an & without its end', async () => {
    const items = await readAll(
      disqus(post('1').replace('<![CDATA[<p>', 'Ann & Bob ').replace('</p>]]>', '') + post('2')),
    );
    expect(commentsOf(items).map(({ sourceId }) => sourceId)).toEqual(['2']);
    expect(reasonsOf(items)).toHaveLength(1);
  });

  it('does not take for a post what stands in a comment or in a text', async () => {
    const items = await readAll(
      disqus(`<!-- ${post('1')} -->${post('2', { message: 'I typed &lt;post&gt; and <post>.' })}`),
    );
    expect(commentsOf(items).map(({ sourceId }) => sourceId)).toEqual(['2']);
  });

  it('knows a post without a readable date from its neighbour', async () => {
    const items = await readAll(disqus(post('1') + post('2').replace(/2020-05-0\d/, '2020-x5-03')));
    expect(commentsOf(items).map(({ at }) => at)).toEqual([Date.UTC(2020, 4, 2, 8), Date.UTC(2020, 4, 2, 8)]);
    expect(warningsOf(items)).toHaveLength(1);
  });

  it('reads past stray bytes before the XML', async () => {
    const items = await readAll(`\`Warning: something\n${disqus(post('1'))}`);
    expect(commentsOf(items)).toHaveLength(1);
    expect(warningsOf(items)).toEqual(['Something stands before the XML begins; it is left out.']);
  });

  it('expands no entity of a DTD and opens no file', async () => {
    const bomb = `<?xml version="1.0"?><!DOCTYPE disqus [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY x SYSTEM "file:///etc/passwd">]>`;
    const post2 = post('2').replace('<![CDATA[<p>Words of 2.</p>]]>', '&b;&x;');
    const items = await readAll(disqus(post('1') + post2 + post('3'), bomb));
    expect(commentsOf(items).map(({ sourceId }) => sourceId)).toEqual(['1', '3']);
    expect(JSON.stringify(items)).not.toMatch(/aaaaaaaaaa|root:/);
  });

  it('keeps a hundred replies deep', async () => {
    const posts = Array.from({ length: 100 }, (_, n) => post(String(n + 1), { parent: n === 0 ? '' : String(n) }));
    expect(commentsOf(await readAll(disqus(posts.join(''))))).toHaveLength(100);
  });
});

describe('encodings', () => {
  const words = disqus(post('1', { message: 'Käse, naïve, fünf Größen' }));
  const CASES: [sentence: string, bytes: Uint8Array][] = [
    ['UTF-8 with a byte order mark', Buffer.from(`\uFEFF${words}`)],
    ['UTF-16, little end first', Buffer.from(`\uFEFF${words}`, 'utf16le')],
    ['UTF-16, big end first', Buffer.from(`\uFEFF${words}`, 'utf16le').swap16()],
    ['UTF-16 without a mark', Buffer.from(words, 'utf16le')],
    ['ISO-8859-1 as declared', Buffer.from(words.replace('utf-8', 'ISO-8859-1'), 'latin1')],
    ['windows-1252 as declared', Buffer.from(words.replace('utf-8', 'windows-1252'), 'latin1')],
    ['UTF-8 that says it is UTF-16', Buffer.from(words.replace('utf-8', 'UTF-16'))],
    ['gzip', gzipSync(words)],
  ];
  it.each(CASES)('reads %s', async (_sentence, bytes) => {
    expect(commentsOf(await readAll(bytes))).toMatchObject([{ body: 'Käse, naïve, fünf Größen' }]);
  });

  it('says where bytes are not what they are declared to be', async () => {
    const items = await readAll(Buffer.from(words, 'latin1'));
    expect(commentsOf(items)).toHaveLength(1);
    expect(items.find(({ kind }) => kind === 'warning')).toMatchObject({ line: 7 });
  });

  it('leaves out control characters, which WordPress is known to write', async () => {
    const items = await readAll(wxr(wpItem(wpComment('1', { content: 'a\u0008b\u000bc' }))));
    expect(commentsOf(items)).toMatchObject([{ body: 'abc' }]);
    expect(warningsOf(items)).toHaveLength(1);
  });

  it('reads what there is of a compressed file that was cut', async () => {
    const many = disqus(Array.from({ length: 3000 }, (_, n) => post(String(n), { message: `${n * 7919}` })).join(''));
    const whole = gzipSync(many);
    const items = await readAll(whole.subarray(0, whole.length - 2000), {}, 4096);
    expect(commentsOf(items).length).toBeGreaterThan(1000);
    expect(reasonsOf(items).join()).toContain('compressed file is damaged or cut short');
  });
});

describe('WordPress', () => {
  it.each(['1.0', '1.1', '1.2'])('reads WXR %s', async (version) => {
    const items = await readAll(wxr(wpItem(wpComment('1') + wpComment('2', { parent: '1' })), version));
    expect(items).toMatchObject([
      { kind: 'thread', key: 'https://garden.example/figs/', title: 'Figs & bees', closed: true },
      {
        sourceId: '1',
        author: { name: 'Writer 1', email: 'w1@example.org', ip: '203.0.113.9' },
        at: Date.UTC(2020, 4, 1, 8),
      },
      { sourceId: '2', parentSourceId: '1' },
    ]);
  });

  const STATUSES: [approved: string, status: string][] = [
    ['1', 'published'],
    ['0', 'held'],
    ['spam', 'spam'],
    ['trash', 'deleted'],
    ['post-trashed', 'rejected'],
    ['shrug', 'held'],
  ];
  it.each(STATUSES)('reads comment_approved %s as %s', async (approved, status) => {
    expect(commentsOf(await readAll(wxr(wpItem(wpComment('1', { approved })))))).toMatchObject([{ status }]);
  });

  it('leaves out pingbacks and trackbacks by that name, and counts them as comments', async () => {
    const items = await readAll(
      wxr(wpItem(wpComment('1', { type: 'pingback' }) + wpComment('2', { type: 'trackback' }))),
    );
    expect(reasonsOf(items)).toEqual(['6: pingback', '20: trackback']);
    const collector = new ReportCollector();
    for (const item of items) collector.see(item);
    expect(collector.report()).toMatchObject({ threads: 1, comments: 2, authors: 2 });
  });

  it('knows the author by user id, not by an address that anyone can type', async () => {
    const both =
      wpComment('1', { email: 'ada@garden.example' }) + wpComment('2', { email: 'ada@garden.example', user: '7' });
    const [typed, signedIn] = commentsOf(await readAll(wxr(wpItem(both))));
    expect([typed?.author.isAuthor, signedIn?.author.isAuthor]).toEqual([undefined, true]);
  });

  it('counts no item without comments as a thread', async () => {
    expect(await readAll(wxr(wpItem('')))).toEqual([]);
  });

  it('keeps the comments of a post whose own text is broken', async () => {
    const item = wpItem(wpComment('1')).replace('A long post.', 'Nested <![CDATA[ here ]]> and on');
    const items = await readAll(wxr(item + wpItem(wpComment('2'))));
    expect(commentsOf(items).map(({ sourceId, thread }) => [sourceId, thread.key])).toEqual([
      ['1', 'https://garden.example/figs/'],
      ['2', 'https://garden.example/figs/'],
    ]);
    expect(reasonsOf(items)).toHaveLength(1);
  });
});

describe('Isso', () => {
  it('reads the generic JSON, where ids repeat from thread to thread', async () => {
    const comment = {
      id: 0,
      author: 'Ann',
      email: '',
      website: 'https://ann.example',
      created: '2005-02-24 04:03:37',
      text: 'Hi',
      remote_addr: '0.0.0.0',
    };
    const file = [
      { comments: [comment], id: '/a/', title: 'A' },
      { comments: [comment], id: '/b/', title: 'B' },
    ];
    const items = await readAll(JSON.stringify(file));
    expect(commentsOf(items)).toMatchObject([
      { sourceId: '/a/#0', author: { name: 'Ann', url: 'https://ann.example' }, at: Date.UTC(2005, 1, 24, 4, 3, 37) },
      { sourceId: '/b/#0' },
    ]);
  });

  it('reads comments.db, with replies, pending and deleted ones', async () => {
    const path = join(folder, 'comments.db');
    const database = new DatabaseSync(path, { enableForeignKeyConstraints: false }); // as Isso leaves them
    database.exec(`CREATE TABLE threads (id INTEGER PRIMARY KEY, uri VARCHAR UNIQUE, title VARCHAR);
      CREATE TABLE comments (tid REFERENCES threads(id), id INTEGER PRIMARY KEY, parent INTEGER, created FLOAT NOT NULL, modified FLOAT,
        mode INTEGER, remote_addr VARCHAR, text VARCHAR, author VARCHAR, email VARCHAR, website VARCHAR, likes INTEGER, dislikes INTEGER, voters BLOB);
      INSERT INTO threads VALUES (1, '/figs/', 'Figs');
      INSERT INTO comments VALUES (1, 1, NULL, 1600000000.5, NULL, 1, '203.0.113.0', 'One *two*', 'Ann', 'ann@example.org', NULL, 0, 0, x''),
        (1, 2, 1, 1600000001, 1600000009, 2, '203.0.113.0', 'Reply', NULL, NULL, NULL, 0, 0, x''),
        (1, 3, NULL, 1600000002, NULL, 4, NULL, '', NULL, NULL, NULL, 0, 0, x''),
        (9, 4, NULL, 1600000002, NULL, 1, NULL, 'Stray', 'Bob', NULL, NULL, 0, 0, x''),
        (2, 5, NULL, 1600000003, NULL, 1, NULL, 'Elsewhere', NULL, NULL, NULL, 0, 0, x''),
        (1, 6, 1, 1600000004, NULL, 1, NULL, 'Back again', NULL, NULL, NULL, 0, 0, x'');
      INSERT INTO threads VALUES (2, '/plums/', NULL);`);
    database.close();
    const progress: number[] = [];
    const items = await collect(readFile(path, { onProgress: (bytes) => progress.push(bytes) }));
    expect(progress.at(-1)).toBe(statSync(path).size);
    expect(items).toMatchObject([
      { kind: 'thread', key: '/figs/', title: 'Figs' },
      { kind: 'thread', key: '/plums/' },
      { sourceId: '1', body: 'One *two*', at: 1_600_000_000_500, status: 'published' },
      { sourceId: '2', parentSourceId: '1', status: 'held', editedAt: 1_600_000_009_000 },
      { sourceId: '3', status: 'deleted', body: '' },
      { kind: 'skipped', reason: 'Comment 4 belongs to thread 9, which is not in the database.' },
      { sourceId: '5', thread: { key: '/plums/' } },
      { sourceId: '6', thread: { key: '/figs/' }, parentSourceId: '1' },
    ]);
  });

  it("refuses a database that is not Isso's, and says why", async () => {
    const path = join(folder, 'other.db');
    const database = new DatabaseSync(path);
    database.exec('CREATE TABLE birds (name)');
    database.close();
    await expect(collect(readFile(path))).rejects.toMatchObject({ code: 'Import.Unreadable' });
  });
});

const commentoComment = (hex: string, fields = {}) => ({
  commentHex: hex,
  domain: 'garden.example',
  url: '/figs',
  commenterHex: 'c1',
  markdown: `Words of ${hex}`,
  html: '',
  parentHex: 'root',
  state: 'approved',
  creationDate: '2021-03-12T11:21:56.123456Z',
  deleted: false,
  ...fields,
});

describe('Commento', () => {
  const file = JSON.stringify({
    version: 1,
    comments: [
      commentoComment('a'),
      commentoComment('b', { parentHex: 'a', state: 'unapproved', commenterHex: 'anonymous' }),
      commentoComment('c', { state: 'flagged' }),
      commentoComment('d', { deleted: true }),
    ],
    commenters: [{ commenterHex: 'c1', email: 'ann@example.org', name: 'Ann', link: 'undefined', isModerator: true }],
  });
  const expected = [
    {
      sourceId: 'a',
      author: { name: 'Ann', email: 'ann@example.org', isAuthor: true },
      thread: { key: '/figs', url: 'https://garden.example/figs' },
    },
    { sourceId: 'b', parentSourceId: 'a', status: 'held', author: { name: '' } },
    { sourceId: 'c', status: 'held' },
    { sourceId: 'd', status: 'deleted', body: '' },
  ];
  it('finds the names that stand after the comments', async () => {
    expect(commentsOf(await readAll(file))).toMatchObject(expected);
  });
  it('finds them in a stream that is read only once, too', async () => {
    expect(commentsOf(await collect(read(chunks(file))))).toMatchObject(expected);
  });
  it('says so when the file was cut before the names', async () => {
    const cut = file.slice(0, file.indexOf(',"commenters"'));
    const items = await readAll(cut);
    expect(commentsOf(items)).toHaveLength(4);
    expect(warningsOf(items)).toEqual([
      'The file does not list the writers of some comments (3, the first here), which have no name now. Is it cut?',
    ]);
    expect(warningsOf(await readAll(file))).toEqual([]);
  });
});

describe('Remark42', () => {
  it('reads a backup as it was typed, gzipped or not', async () => {
    const lines = [
      {
        version: 1,
        users: [{ id: 'u1', blocked: { status: false }, details: { email: 'ann@example.org' } }],
        posts: [{ url: 'https://garden.example/figs/', read_only: true }],
      },
      {
        id: 'r1',
        pid: '',
        text: '<p>One <em>two</em></p>',
        orig: 'One *two*',
        user: { name: 'Ann', id: 'u1', admin: true, ip: 'a1b2c3' },
        locator: { site: 's', url: 'https://garden.example/figs/' },
        time: '2019-11-01T10:00:00.123456789-05:00',
        title: 'Figs',
      },
      {
        id: 'r2',
        pid: 'r1',
        text: '<p>Three</p>',
        user: { name: 'O&#39;Neil', id: 'u2' },
        locator: { url: 'https://garden.example/figs/' },
        time: '2019-11-01T16:00:00Z',
        edit: { time: '2019-11-01T16:01:00Z', summary: '' },
      },
      {
        id: 'r3',
        pid: '',
        text: '',
        user: { name: 'deleted', id: 'deleted' },
        locator: { url: 'https://garden.example/figs/' },
        time: '2019-11-01T16:00:00Z',
        delete: true,
      },
    ];
    const file = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
    const items = await readAll(gzipSync(file));
    expect(items).toMatchObject([
      { kind: 'thread', title: 'Figs', closed: true },
      {
        body: 'One *two*',
        author: { name: 'Ann', email: 'ann@example.org', isAuthor: true },
        at: Date.UTC(2019, 10, 1, 15, 0, 0, 123),
      },
      { parentSourceId: 'r1', body: 'Three', author: { name: "O'Neil" }, editedAt: Date.UTC(2019, 10, 1, 16, 1) },
      { status: 'deleted', author: { name: '' } },
    ]);
    expect(await readAll(file)).toEqual(items);
  });
});

const walineComment = (id: string, fields = {}) => ({
  objectId: id,
  nick: `N${id}`,
  mail: 'n@example.org',
  link: '',
  comment: 'Hi',
  url: '/figs/',
  status: 'approved',
  insertedAt: '2022-01-01T00:00:00.000Z',
  ip: '203.0.113.9',
  ...fields,
});

describe('Waline, Artalk, Twikoo', () => {
  it("reads Waline's export, and drops links to ids that change", async () => {
    const file = {
      type: 'waline',
      version: 1,
      time: 1,
      tables: ['Comment', 'Counter', 'Users'],
      data: {
        Comment: [
          walineComment('1', { user_id: 5 }),
          walineComment('2', { pid: '1', rid: '1', status: 'waiting', comment: '[@N1](#1): hello' }),
          walineComment('3', { status: 'spam' }),
        ],
        Counter: [{ objectId: '1', time: 3, url: '/figs/' }],
        Users: [{ objectId: 5, display_name: 'N', type: 'administrator' }],
      },
    };
    expect(commentsOf(await readAll(JSON.stringify(file)))).toMatchObject([
      { sourceId: '1', status: 'published', author: { isAuthor: true } },
      { sourceId: '2', parentSourceId: '1', status: 'held', body: '@N1: hello' },
      { sourceId: '3', status: 'spam' },
    ]);
  });

  it("reads LeanCloud's lines, as Valine leaves them", async () => {
    const file = `#filetype:JSON-streaming {"type":"Class","class":"Comment"}\n${JSON.stringify({ nick: 'Ann', mail: '', link: '', comment: 'Hi', url: '/figs/', objectId: 'x1', createdAt: '2020-02-02T02:02:02.000Z', insertedAt: { __type: 'Date', iso: '2020-02-02T02:02:01.000Z' } })}\n`;
    expect(commentsOf(await readAll(file))).toMatchObject([{ sourceId: 'x1', at: Date.UTC(2020, 1, 2, 2, 2, 1) }]);
  });

  it("reads Artalk's Artrans", async () => {
    const file = [artran('1', { badge_name: 'Administrator' }), artran('2', { rid: '1', is_pending: 'true' })];
    expect(await readAll(JSON.stringify(file))).toMatchObject([
      { kind: 'thread', key: '/figs/', url: 'https://garden.example/figs/', title: 'Figs' },
      { sourceId: '1', at: Date.UTC(2021, 9, 28, 12, 50, 15), author: { isAuthor: true } },
      { sourceId: '2', parentSourceId: '1', status: 'held' },
    ]);
  });

  it("reads Twikoo's list", async () => {
    const file = [
      {
        _id: 'a',
        nick: 'Ann',
        mail: 'ann@example.org',
        link: '',
        ip: '203.0.113.9',
        master: true,
        url: '/figs/',
        href: 'https://garden.example/figs/',
        comment: '<p>Hi <b>there</b></p>',
        isSpam: false,
        created: 1_650_000_000_000,
      },
      {
        _id: 'b',
        nick: 'Bob',
        url: '/figs/',
        comment: '<p>Buy</p>',
        pid: 'a',
        rid: 'a',
        isSpam: true,
        created: 1_650_000_000_001,
      },
    ];
    expect(commentsOf(await readAll(JSON.stringify(file)))).toMatchObject([
      { body: 'Hi **there**', author: { isAuthor: true }, at: 1_650_000_000_000 },
      { parentSourceId: 'a', status: 'spam' },
    ]);
  });
});

describe('faults of JSON', () => {
  it('loses one comment to a fault in it, by its line', async () => {
    const lines = ['1', '2', '3'].map((id) => JSON.stringify(artran(id)));
    const items = await readAll(`[\n${[lines[0], lines[1]!.replace('"rid":"0"', '"rid":'), lines[2]].join(',\n')}\n]`);
    expect(commentsOf(items).map(({ sourceId }) => sourceId)).toEqual(['1', '3']);
    expect(reasonsOf(items)).toEqual([expect.stringMatching(/^3: The record that begins here cannot be read: /)]);
  });

  it('finds the next comment after a quote that is never closed', async () => {
    const items = await readAll(
      `[${JSON.stringify(artran('1')).replace('"nick":"', '"nick":')},${JSON.stringify(artran('2'))},${JSON.stringify(artran('3'))}]`,
    );
    expect(commentsOf(items).map(({ sourceId }) => sourceId)).toEqual(['2', '3']);
    expect(reasonsOf(items)).toHaveLength(1);
  });

  it('is not slowed down by ten thousand broken comments', async () => {
    const items = await readAll(
      `[${JSON.stringify(artran('1')).slice(0, -1).concat(',').repeat(10_000)}]`,
      { format: 'artalk' },
      65_536,
    );
    expect(reasonsOf(items).length).toBeGreaterThan(0);
  });
});

describe('memory', () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const live = () => {
    collectGarbage();
    return process.memoryUsage().heapUsed;
  };
  const filler = 'x'.repeat(60_000);
  const longPost = (id: number) =>
    `<item><title>Post ${id}</title><link>https://garden.example/a-long-address/${id}/</link><content:encoded>${filler}</content:encoded>` +
    `<wp:comment><wp:comment_id>${id}</wp:comment_id><wp:comment_author_email><![CDATA[somebody-${id}@people.example]]></wp:comment_author_email>` +
    `<wp:comment_date_gmt>2020-01-02 03:04:05</wp:comment_date_gmt><wp:comment_content>Words</wp:comment_content></wp:comment></item>`;
  async function* pieces() {
    yield Buffer.from('<rss><channel>');
    for (let id = 1; id <= 500; id++) yield Buffer.from(longPost(id));
    yield Buffer.from('</channel></rss>');
  }
  it('holds no piece of the file for an address or a page that somebody remembers', async () => {
    const remembered: (string | undefined)[] = [];
    const before = live();
    for await (const item of read(pieces())) {
      if (item.kind === 'comment') remembered.push(item.thread.key, item.author.email);
    }
    expect(live() - before).toBeLessThan(5_000_000); // of 30 MB
    expect(remembered).toHaveLength(1000);
  });
});

describe('telling the format', () => {
  it.each(['hello', '{"a":1}', '<html><body>', 'x\u0000\u0001'])('refuses %j with a hint', async (text) => {
    await expect(readAll(text)).rejects.toMatchObject({
      code: 'Import.Unreadable',
      hint: expect.stringContaining('disqus'),
    });
  });
  it.each(['', ' ', '\u0000\u0001'])('says of %j that it is empty', async (text) => {
    await expect(readAll(text)).rejects.toMatchObject({ code: 'Import.Unreadable', message: 'The file is empty' });
  });
  it('knows an archive that should be unpacked first', async () => {
    const refused = { message: 'The file looks like a ZIP archive', hint: expect.stringContaining('unpack it') };
    await expect(readAll('PK\u0003\u0004\u0014\u0000')).rejects.toMatchObject(refused);
  });
  it('quotes nothing of a file that would steer a terminal', async () => {
    const refused = await readAll('hello \u009b2J\u202e').catch((error: Error) => error.message);
    expect(refused).toContain('"hello \uFFFD2J\uFFFD"');
    const file = '[{"id":"\\u001b[2J","rid":"0","page_key":"/a","content":"x","is_pending":"false"}]';
    expect(reasonsOf(await readAll(file))).toEqual(['1: Comment \uFFFD[2J has no date that can be read.']);
  });
  it('reads nothing from an empty list', async () => {
    expect(formatOf('[]')).toBe('isso');
    expect(await readAll('[]')).toEqual([]);
  });
});

/** Cutting a file anywhere loses at most the record that was cut, and says that something is missing. */
describe('a file cut at any byte', () => {
  const twelve = Array.from({ length: 12 }, (_, n) => String(n + 1));
  const FILES: [format: ImportFormat, file: string, end: string, start: string][] = [
    ['disqus', disqus(twelve.map((id) => post(id)).join('')), '</post>', '<post'],
    ['wordpress', wxr(wpItem(twelve.map((id) => wpComment(id)).join(''))), '</wp:comment>', '<wp:comment>'],
    [
      'artalk',
      JSON.stringify(
        twelve.map((id) => artran(id)),
        null,
        1,
      ),
      '}',
      '{',
    ],
    ['artalk', JSON.stringify(twelve.map((id) => artran(id))), '}', '{'],
  ];
  it.each(FILES)('%s', async (format, file, end) => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: file.length - 10 }),
        fc.integer({ min: 1, max: 700 }),
        async (cut, size) => {
          const part = file.slice(0, cut);
          const items = await readAll(part, { format }, size);
          const whole = part.split(end).length - 1;
          expect(commentsOf(items)).toHaveLength(whole);
          expect(items.some(({ kind }) => kind === 'skipped')).toBe(true);
        },
      ),
      { numRuns: 150 },
    );
  });

  it.each(FILES)('%s with bytes changed never throws, and reads on', async (format, file, _end, start) => {
    const bytes = Buffer.from(file);
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: file.indexOf(start), max: file.length - 1 }),
        fc.integer({ min: 0, max: 255 }),
        async (at, byte) => {
          const changed = Buffer.from(bytes);
          changed[at] = byte;
          const items = await readAll(changed, { format }, 512);
          const read = commentsOf(items).length;
          expect(read).toBeGreaterThanOrEqual(10);
          expect(read === 12 || items.some(({ kind }) => kind === 'skipped')).toBe(true);
        },
      ),
      { numRuns: 150 },
    );
  });
});

/** A correct reader's counts for the public samples. */
const COUNTS: Record<string, Partial<Report>> = {
  'disqus/isso-disqus.xml': { format: 'disqus', threads: 3, comments: 6, replies: 2, authors: 2 },
  'disqus/remark42-disqus.xml': { format: 'disqus', threads: 2, comments: 5 },
  'wordpress/wp-importer-theme-unit-test-data.xml': {
    format: 'wordpress',
    threads: 7,
    comments: 33,
    replies: 10,
    authors: 12,
  },
  'wordpress/wp-importer-small-export.xml': { comments: 1 },
  'wordpress/wp-importer-valid-wxr-1.0.xml': { comments: 1 },
  'other/commento.json': { format: 'commento', threads: 2, comments: 3, authors: 2 },
  'other/isso-generic.json': { format: 'isso', threads: 2, comments: 2 },
};
const data = process.env['SLUICE_TEST_DATA'];
it.runIf(data === undefined)('reads no real exports: SLUICE_TEST_DATA is unset', () => {
  expect(data).toBeUndefined();
});
describe.runIf(data !== undefined)('real exports', () => {
  const exports = join(data ?? '', 'import');
  it.each(Object.entries(COUNTS))('%s has its counts', async (name, counts) => {
    expect(await reportOf(join(exports, name))).toMatchObject(counts);
  });
  it('reports the unquoted attribute with its line', async () => {
    const { skipped } = await reportOf(join(exports, 'disqus/remark42-disqus.xml'));
    expect(skipped.map(({ line }) => line)).toEqual([147]);
  });
  it('throws for none of them', async () => {
    const names = (await readdir(exports, { recursive: true })).filter((name) => /\.(?:xml|json)$/.test(name));
    for (const name of names) expect((await reportOf(join(exports, name))).format).not.toBeNull();
  });
});

it('tells how far it has read', async () => {
  const path = join(folder, 'export.xml');
  const file = disqus(post('1'));
  await writeFile(path, file);
  const seen: number[] = [];
  await collect(readFile(path, { onProgress: (bytes) => seen.push(bytes) }));
  expect(seen.at(-1)).toBe(Buffer.byteLength(file));
});

it('says that a file is not there', async () => {
  await expect(collect(readFile(join(folder, 'none.xml')))).rejects.toMatchObject({ code: 'Import.Unreadable' });
});
