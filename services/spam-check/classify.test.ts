import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { LINE_LIMIT, classify } from './classify.ts';

async function pipe(...chunks: (string | Uint8Array)[]): Promise<Record<string, unknown>[]> {
  let out = '';
  const input = async function* () {
    for (const chunk of chunks) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
  };
  await classify(input(), async (part) => {
    out += part;
  });
  return out
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
const line = (value: unknown) => `${JSON.stringify(value)}\n`;

describe('classify', () => {
  it('answers each line in order, whatever stands between', async () => {
    const out = await pipe(
      line({ id: 'a', text: 'Thanks, that fixed it.' }),
      'not json\n',
      '\n',
      line({ id: 'b' }),
      line({ text: 'no id' }),
      '{"id":"cut", "text": "never clo\n',
      line([1]),
      line({ id: 'c', text: 5 }),
      line({ id: 7, text: '', author: null }),
      line({ id: 'd', text: 'x', link: {} }),
      'null\n',
      JSON.stringify({ id: 'last', text: 'no newline after me' }),
    );
    expect(out.map(({ id, line: number, error }) => [id, number, error === undefined])).toEqual([
      ['a', undefined, true],
      [null, 2, false],
      [null, 3, false],
      ['b', 4, false],
      [null, 5, false],
      ['cut', 6, false],
      [null, 7, false],
      ['c', 8, false],
      [7, undefined, true],
      ['d', 10, false],
      [null, 11, false],
      ['last', undefined, true],
    ]);
  });
  it('gives score, toxicity, verdict and signals', async () => {
    const [out] = await pipe(
      line({ id: 'a', text: 'Earn $5,000 weekly, WhatsApp me +1 555 010 9999', author: 'Expert Trader', extra: 1 }),
    );
    expect(out).toEqual({
      id: 'a',
      score: expect.closeTo(1, 1),
      toxicity: expect.any(Number),
      verdict: expect.stringMatching(/^(hold|reject)$/),
      signals: expect.arrayContaining([{ name: 'text', weight: expect.any(Number), words: expect.any(String) }]),
    });
  });
  it('judges what is left of bytes that are no UTF-8', async () => {
    const out = await pipe(
      Buffer.concat([Buffer.from('{"id":"x","text":"a '), Buffer.from([0xff, 0xc3, 0x28]), Buffer.from('"}\n')]),
      line({ id: 'y', text: '' }),
    );
    expect(out).toMatchObject([
      { id: 'x', score: expect.any(Number) },
      { id: 'y', score: expect.any(Number) },
    ]);
  });
  it('joins a character and a line that chunks cut in two', async () => {
    const bytes = Buffer.from(line({ id: '😀', text: '😀' }));
    expect(await pipe(...Array.from(bytes, (_, i) => bytes.subarray(i, i + 1)))).toMatchObject([{ id: '😀' }]);
  });
  it('answers an endless line with an error and goes on', async () => {
    const long = `{"id":"long","text":"${'x'.repeat(LINE_LIMIT)}"}\n`;
    expect(await pipe(long, line({ id: 'next', text: 'hello' }))).toEqual([
      { id: 'long', line: 1, error: expect.stringContaining('longer') },
      expect.objectContaining({ id: 'next', score: expect.any(Number) }),
    ]);
  });
  it('runs as a command, and ends quietly when its reader goes away', async () => {
    const command = fileURLToPath(new URL('classify.ts', import.meta.url));
    const child = spawn(process.execPath, [command], { stdio: ['pipe', 'pipe', 'pipe'] });
    child.stdin.end(line({ id: 'a', text: 'hello' }) + 'bad\r\n');
    const out = await text(child.stdout);
    expect(
      out
        .trim()
        .split('\n')
        .map((l) => (JSON.parse(l) as { id: unknown }).id),
    ).toEqual(['a', null]);

    const left = spawn(process.execPath, [command], { stdio: ['pipe', 'pipe', 'pipe'] });
    left.stdin.on('error', () => {});
    left.stdout.destroy();
    left.stdin.end(line({ id: 'a', text: 'hello' }).repeat(20_000));
    const [errors] = await Promise.all([text(left.stderr), new Promise((done) => left.on('close', done))]);
    expect(errors).toBe('');
    expect(left.exitCode).toBe(0);
  });
});
