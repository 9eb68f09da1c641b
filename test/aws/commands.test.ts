import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { storeOf } from '../../shared/store/comments.ts';
import { deadLettersOf } from '../../shared/store/dead-letters.ts';
import { startAccount } from './account.ts';

const clock = { now: Date.now };
const folder = mkdtempSync(join(tmpdir(), 'sluice-stage-'));
const file = (name: string, text: string) => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
let account: Awaited<ReturnType<typeof startAccount>>;
beforeAll(async () => {
  vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  account = await startAccount();
});
afterAll(() => account.close());

type Said = { code: number; stdout: string; stderr: string };

/** A command as an operator types it, in a process of its own that knows nothing but where AWS is. */
const sluice = (...words: string[]): Promise<Said> =>
  new Promise((done) => {
    const env = { PATH: process.env.PATH, SLUICE_DATA: join(folder, 'data'), ...account.env };
    execFile(process.execPath, ['infra/sluice.ts', ...words], { env }, (error, stdout, stderr) =>
      done({ code: Number(error?.code ?? 0), stdout, stderr }),
    );
  });
const onStage = (...words: string[]) => sluice(...words, '--stage', 'test');

/** While it runs, what comes onto the queues is delivered, as AWS does it all the time. */
async function whileServed(work: Promise<Said>): Promise<Said> {
  let done = false;
  void work.finally(() => (done = true));
  while (!done) {
    await account.deliver();
    await new Promise((go) => setTimeout(go, 50));
  }
  return work;
}

const ISSO = JSON.stringify([
  {
    id: '/a/',
    title: 'A',
    comments: [
      { id: 1, author: 'Ada', email: 'ada@example.org', created: '2020-01-02 03:04:05', text: 'First *words*.' },
      { id: 2, parent: 1, author: 'Bo', created: '2020-01-02 03:05:05', text: 'An answer.' },
    ],
  },
]);

describe('sluice --stage', () => {
  it('adds a site, imports into it, exports it, and forgets a person', { timeout: 180_000 }, async () => {
    expect(await onStage('site', 'add', 'blog', '--origin', 'https://blog.example')).toMatchObject({ code: 0 });
    const imported = await onStage('import', file('isso.json', ISSO), '--site', 'blog', '--json');
    expect(JSON.parse(imported.stdout)).toMatchObject({ imported: 2, unchanged: 0 });
    const again = await onStage('import', file('isso.json', ISSO), '--site', 'blog', '--json');
    expect(JSON.parse(again.stdout)).toMatchObject({ imported: 0, unchanged: 2 });

    const out = join(folder, 'export.jsonl');
    expect(await onStage('export', out, '--site', 'blog', '--contacts')).toMatchObject({ code: 0, stderr: '' });
    expect(readFileSync(out, 'utf8')).toContain('ada@example.org');
    const forgotten = await onStage('forget', '--email', 'ada@example.org');
    expect(forgotten.stdout).toMatch(/^Erased 1 comments of blog and 1 contacts\.[^]*archive of the bus \(7 days\)/);
    const { stdout } = await onStage('export', '--site', 'blog', '--contacts');
    expect(stdout).not.toMatch(/Ada|ada@|First/);
    expect(stdout).toContain('An answer.');
  });

  it('replays a file through the bus, and says what became of it', { timeout: 180_000 }, async () => {
    const links = ['a', 'b', 'c', 'd'].map((word) => `https://kim.example/${word}`).join(' ');
    const lines = [
      { text: 'A plain remark about the weather of that week.', author: 'Wei' },
      { text: `Four write-ups on queues that I found useful: ${links}`, author: 'Kim' },
    ];
    await onStage('site', 'add', 'replayed');
    const { stdout, code } = await whileServed(
      onStage(
        'replay',
        file('r.jsonl', lines.map((line) => JSON.stringify(line)).join('\n')),
        '--site',
        'replayed',
        '--json',
      ),
    );
    expect(JSON.parse(stdout)).toMatchObject({ submitted: 2, published: 1, held: 1, failed: 0 });
    expect(code).toBe(0);
  });

  it('tests mail through the whole pipeline, and takes the test away', { timeout: 180_000 }, async () => {
    const { stdout, code } = await whileServed(onStage('mail-test', 'ada@people.example'));
    expect(stdout.split('\n').map((line) => line.split(/\s+/)[0])).toEqual([
      'mail',
      'submitted',
      'published',
      'confirmed',
      'submitted',
      'published',
      'queued',
      'sent',
      'removed',
      '',
    ]);
    expect(code).toBe(0);
    expect(account.mails.at(-1)?.to).toBe('ada@people.example');
    const ids = [...stdout.matchAll(/(?:comment|reply) (01\w+)/g)].map(([, id]) => id!);
    expect(ids).toHaveLength(2);
    expect(await storeOf(account.table, clock).getMany(ids)).toEqual([undefined, undefined]);
    const { items } = await account.table.query({ pk: 'SITES' });
    expect(items.map(({ sk }) => sk)).not.toContainEqual(expect.stringContaining('mail-test'));
  });

  it('shows dead letters and sends them again', { timeout: 180_000 }, async () => {
    const author = { name: 'Ada', email: 'ada@dead.example' };
    account.event('CommentSubmitted', { schema: 1, id: 'x', site: 'blog', thread: '/p', author });
    await account.deliver();
    const [letter] = (await deadLettersOf(account.table).list('blog', { limit: 10 })).letters;
    // Sealed: an address put directly on the bus stands in clear nowhere.
    expect(JSON.stringify(letter)).not.toContain('ada@');
    const sick = await onStage('doctor');
    expect(sick.stdout).toMatch(/root key +can be read[^]*dead +1 of site blog: Comment\.Malformed/);
    expect(sick.code).toBe(1);
    expect((await onStage('redrive')).stdout).toBe('1 sent again.\n');
    const [again, ...others] = await account.receive('intake');
    expect(others).toEqual([]);
    expect(JSON.parse(again!.Body!)).toMatchObject({ detail: { id: 'x', author } });
    expect((await deadLettersOf(account.table).list('blog', { limit: 10 })).letters).toEqual([]);
    expect((await onStage('redrive', 'nobody')).stderr).toMatch(/^there is no dead letter nobody/);
  });

  it.each([
    ['user add ada', /Cognito[^]*admin-create-user[^]*sluice-test-flow/],
    ['user passwd ada', /Cognito[^]*admin-reset-user-password/],
    ['backup there', /backed up all the time[^]*sluice-test-table/],
    ['restore there', /restore-table-to-point-in-time/],
  ])('says what AWS does itself: %s', async (words, answer) => {
    const { code, stderr, stdout } = await onStage(...words.split(' '));
    expect(stderr).toMatch(answer);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  });

  it.each([
    ['another', /^there is no stage "another": no table sluice-another-table in us-east-1\n.*AWS_REGION/],
    ['No-Stage', /^"No-Stage" is no stage\n/],
  ])('says in two lines that there is no stage %s', async (stage, answer) => {
    const { code, stderr } = await sluice('doctor', '--stage', stage);
    expect(stderr).toMatch(answer);
    expect(stderr.trim().split('\n')).toHaveLength(2);
    expect(code).toBe(1);
  });
});
