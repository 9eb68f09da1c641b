import { statSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assess, explain, packModel, parseModel, shippedModel } from './model.ts';
import { DEFAULT_THRESHOLDS, deriveThresholds, thresholdFor, verdictOf } from './thresholds.ts';

const scoreOf = (text: string, author?: string, link?: string) =>
  assess({ text, ...(author && { author }), ...(link && { link }) });

describe('the shipped model', () => {
  it('is at most 1 MB, and says where its data came from', () => {
    expect(statSync(new URL('model.bin', import.meta.url)).size).toBeLessThanOrEqual(1_000_000);
    const { meta } = shippedModel();
    expect(meta.sources.length).toBeGreaterThan(10);
    expect(meta.sources.every(({ provenance, rows }) => provenance !== 'not recorded' && rows > 0)).toBe(true);
    expect(meta.version).toMatch(/^[0-9a-f]{12}$/);
  });
  it('was derived together with the default thresholds', () => {
    const { holdAt, rejectAt, toxicityHoldAt } = shippedModel().meta.thresholds;
    expect(DEFAULT_THRESHOLDS.toxicityHoldAt).toBe(toxicityHoldAt);
    expect(DEFAULT_THRESHOLDS.holdAt).toBeGreaterThanOrEqual(holdAt);
    expect(DEFAULT_THRESHOLDS.rejectAt).toBeGreaterThanOrEqual(rejectAt);
  });
  it('comes back from its bytes as it went', () => {
    const bytes = packModel(shippedModel());
    expect(packModel(parseModel(bytes))).toEqual(bytes);
    expect(() => parseModel(bytes.subarray(0, 1_000))).toThrow(/cut short|JSON/);
    expect(() => parseModel(new Uint8Array(20))).toThrow('not a model');
  });
});

describe('the judge', () => {
  it.each([
    ['a plain thank-you', 'Thanks, that fixed my build. I had the wrong version pinned.', 'Maria Lopez', undefined],
    [
      'an honest writer with a site of their own',
      'Nice write-up! Does this also work with the older plugin API?',
      'Jonas Keller',
      'https://jonaskeller.dev',
    ],
    [
      'a link that helps',
      'See https://github.com/nodejs/node/issues/1234, it is the same bug that you describe here.',
      'dev42',
      undefined,
    ],
    [
      'criticism',
      'I disagree. Your benchmark measures the warm-up, not the loop, so the conclusion does not follow.',
      'Ann',
      undefined,
    ],
    ['code', 'Try `const x = await fetch(url)` and then x.json(); in my case it returned null.', 'pete', undefined],
  ])('publishes %s', (_sentence, text, author, link) => {
    expect(verdictOf(scoreOf(text, author, link))).toBe('publish');
  });
  it.each([
    ['German', 'Schade, dass der Laden schließt. Wir waren zwanzig Jahre Stammkunden.', 'Renate'],
    ['French', "J'ai eu le même souci avec Firefox, il faut vider le cache.", 'Maël'],
    ['Spanish', 'El código de la línea 8 no compila, falta un punto y coma.', 'Gonzalo'],
    ['Portuguese', 'Valeu demais, salvou meu trabalho da faculdade!', 'Igor'],
    ['Russian', 'Подскажите, а на Windows 11 это пойдёт?', 'Юля'],
    ['Japanese', '初めてコメントします。いつも楽しく読んでいます。', 'のり'],
    ['Chinese', '这个方法我试过了,不行,还是报错。', '菜鸟'],
    ['Korean', '글 잘 읽었습니다. 다음 편도 기대할게요.', '하늘'],
    ['Arabic', 'الصورة لا تظهر عندي، هل المشكلة من الموقع؟', 'هند'],
    ['Hindi', 'बहुत धन्यवाद, मेरी समस्या हल हो गई।', 'सुनीता'],
    ['Thai', 'ลองแล้วได้ผลดีมากค่ะ', 'อ้อ'],
    ['nothing but an address of an encyclopedia', 'https://en.wikipedia.org/wiki/Occam%27s_razor', 'Ed'],
  ])('finds an honest comment likelier honest than not: %s', (_sentence, text, author) => {
    expect(scoreOf(text, author).score).toBeLessThan(0.5);
  });
  it('judges a comment the same, whatever it judged in between', () => {
    const comment = { text: 'Thanks, this helped. See https://example.org/a-page', author: 'Ann' };
    const before = explain(comment);
    for (let i = 0; i < 2_000; i++) assess({ text: Array.from({ length: 40 }, (_, j) => `w${i * 40 + j}`).join(' ') });
    expect(explain(comment)).toEqual(before);
  });
  it.each([
    [
      'an investment scam',
      'I invested $2,000 with Mrs Anna and got $14,500 in a week! Message her on WhatsApp +1 202 555 0147',
      'Clara Trade Expert',
      undefined,
    ],
    ['disguised gambling', 'main di 𝑺𝑳𝑶𝑻𝟖𝟖 auto maxwin gacor banget tiap hari', '@joko-x7k', undefined],
    [
      'pills',
      'buy cheap viagra online without prescription http://cheap-pills-online.example/viagra',
      'viagra',
      'http://cheap-pills-online.example',
    ],
    [
      'begging for subscribers',
      'Please check out my channel and subscribe, I subscribe back!!!',
      'Music Guy',
      undefined,
    ],
  ])('gives %s more than even odds of spam', (_sentence, text, author, link) => {
    expect(scoreOf(text, author, link).score).toBeGreaterThan(0.5);
  });

  const any = fc.record(
    {
      text: fc.string({ unit: 'grapheme', maxLength: 300 }),
      author: fc.string({ unit: 'grapheme' }),
      link: fc.webUrl(),
    },
    { requiredKeys: ['text'] },
  );
  it('gives reasons that add up to what it decided', () => {
    fc.assert(
      fc.property(any, (comment) => {
        const { signals, logOdds, score } = explain(comment);
        const sum = signals
          .filter(({ name }) => !name.startsWith('toxic'))
          .reduce((total, { weight }) => total + weight, 0);
        expect(sum).toBeCloseTo(logOdds, 2);
        expect(score).toBeGreaterThan(0);
        expect(score).toBeLessThan(1);
      }),
    );
  });
  it('quotes the words that moved it, short and without control characters', () => {
    const { signals } = scoreOf('please\u0007 subscribe\u202E to my channel '.repeat(3), 'a\nb\u0000c'.repeat(40));
    const text = signals.find(({ name }) => name === 'text')!;
    expect(text.words).toMatch(/“[^”]*(subscribe|channel)[^”]*”/);
    for (const { words } of signals) {
      expect(words).not.toMatch(/[\p{Cc}\u202E]/u);
      expect(words.length).toBeLessThan(260);
    }
  });
  it.each([
    ['a link', { text: 'See https://cheap-pills.example/now' }, 'links-in-text', /“https:\/\/cheap-pills/],
    ['a disguise', { text: 'main di 𝑺𝑳𝑶𝑻𝟖𝟖 gacor' }, 'disguised-letters', /letters made for decoration/],
    ['a messenger and a number', { text: 'Text me on WhatsApp +1 555 123 4567' }, 'contact', /phone number|messenger/],
    ['a name', { text: 'Nice', author: 'Cheap Loans' }, 'author-name', /“Cheap Loans”/],
    ['what is missing', { text: 'Nice' }, 'nothing-unusual', /no link .*no name and no website/],
  ] as const)('says of %s what was found', (_sentence, comment, name, expected) => {
    expect(explain(comment).signals.find((signal) => signal.name === name)?.words).toMatch(expected);
  });
  it('says nothing of a name, a website or repeated words that are not there', () => {
    for (const comment of [
      { text: 'This helped me a lot.' },
      { text: 'This helped me a lot.', author: ' ', link: '' },
    ]) {
      const names = explain(comment).signals.map(({ name }) => name);
      expect(names).not.toContain('author-name');
      expect(names).not.toContain('link-host');
    }
    expect(explain({ text: '' }).signals.find(({ name }) => name === 'repetition')?.words).toBe('Has no words');
  });
  it('quotes no punctuation and no word that every comment has', () => {
    const { signals } = explain({ text: 'It is what it is, and that was that. Or is it?' });
    expect(signals.map(({ words }) => words).join('\n')).not.toMatch(/“(?:[.,?]|is|it|and|that)”/i);
  });
  it('judges alike what looks alike: a disguise does not lower the score below even', () => {
    expect(scoreOf('main di slot88 gacor maxwin').score).toBeGreaterThan(0.5);
    expect(scoreOf('main di ѕlоt88 gаcor mаxwin').score).toBeGreaterThan(0.5);
    expect(scoreOf('main di s\u200Bl\u200Bo\u200Bt88 gacor maxwin').score).toBeGreaterThan(0.5);
  });
});

describe('toxicity', () => {
  it('is a second axis: abuse is not spam, spam is not abuse', () => {
    const abuse = scoreOf('you are a stupid bitch, shut the fuck up');
    expect(abuse.toxicity).toBeGreaterThan(0.5);
    expect(abuse.signals.some(({ name }) => name === 'toxic-words')).toBe(true);
    expect(scoreOf('Please check out my channel and subscribe, I subscribe back').toxicity).toBeLessThan(0.5);
  });
  it.each([
    ['Spanish', 'eres un idiota y no sabes nada de lo que hablas'],
    ['Portuguese', 'você é um idiota e não sabe nada do que fala'],
    ['Korean', '너는 정말 멍청하다'],
    ['Russian', 'ты просто дурак'],
    ['Indonesian', 'dasar kamu goblok, tidak punya otak sama sekali'],
  ])('is silent on %s, which was not measured', (_language, text) => {
    const { toxicity, signals } = scoreOf(text);
    expect(toxicity).toBe(0);
    expect(signals.some(({ name }) => name.startsWith('toxic'))).toBe(false);
  });
  it('flags no plain comment', () => {
    expect(
      scoreOf('I killed the process and the bloody thing still hung. Dumb question: which port does it use?').toxicity,
    ).toBeLessThan(DEFAULT_THRESHOLDS.toxicityHoldAt);
  });
});

describe('thresholds', () => {
  it('let the given share of honest comments reach them, and no more', () => {
    const scores = Array.from({ length: 1_000 }, (_, i) => i / 1_000);
    const at = thresholdFor(scores, 0.01);
    expect(scores.filter((s) => s >= at).length).toBeLessThanOrEqual(10);
    expect(scores.filter((s) => s >= at).length).toBeGreaterThanOrEqual(9);
  });
  it('hold by the worst blog, and never reject below the hold', () => {
    const calm = Array.from({ length: 400 }, () => 0.1);
    const lively = Array.from({ length: 400 }, (_, i) => (i < 8 ? 0.8 : 0.1));
    expect(
      deriveThresholds([
        { blog: true, scores: calm },
        { blog: true, scores: lively },
      ]),
    ).toEqual({ holdAt: 0.801, rejectAt: 0.801 });
  });
});
