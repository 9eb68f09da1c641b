import { useEffect, useState } from 'preact/hooks';
import type { Figures, NamedProof } from '../../moderation/proof.ts';
import { call, Problem } from '../api.ts';
import { commandOf, type Keys } from '../keys.ts';
import { Key, whyOf } from '../parts.tsx';
import { dateOnly, t, tMaybe, type Word } from '../words.ts';
import { callJob } from './backtest.tsx';

const FIGURES: readonly { of: keyof Figures; word: Word }[] = [
  { of: 'agreed', word: 'proofAgreed' },
  { of: 'asked', word: 'proofAsked' },
  { of: 'wronglyRejected', word: 'proofWrong' },
  { of: 'missed', word: 'proofMissed' },
];

/** What Sluice would have done with an import, against the file; its verdicts can be accepted as training. */
export function ProofPage({ site, admin, keys }: { site: string; admin: boolean; keys: Keys }) {
  const path = `/v1/moderation/sites/${site}/proof`;
  const [last, setLast] = useState(1000);
  /** The result, and of how many it was asked: what is accepted is what is shown. */
  const [shown, setShown] = useState<{ proof: NamedProof; last: number } | undefined>();
  const [work, setWork] = useState<{ done: number; of: number } | undefined>();
  const [fault, setFault] = useState('');
  const [said, setSaid] = useState('');

  const attempt = async (what: () => Promise<void>) => {
    setFault('');
    setSaid('');
    try {
      await what();
    } catch (error) {
      setFault(error instanceof Problem ? whyOf(error) : String(error));
    }
    setWork(undefined);
  };
  const run = () =>
    attempt(async () => {
      setWork({ done: 0, of: last });
      const proof = await callJob<NamedProof>(path, { last }, (done, of) => setWork({ done, of }));
      setShown({ proof, last });
    });
  const accept = () =>
    attempt(async () => {
      const body = { last: shown?.last };
      const { lessons } = await call<{ lessons: number }>('POST', `${path}/lessons`, { body });
      setSaid(t('proofAccepted', { n: lessons }));
    });
  const takeBack = () =>
    attempt(async () => {
      await call('DELETE', `${path}/lessons`);
      setSaid(t('proofTakenBack'));
    });

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (!admin || !shown || commandOf(event, keys) !== 'accept') return;
      event.preventDefault();
      void accept();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  });

  return (
    <div class="page">
      <h1>{t('proof')}</h1>
      <p class="quiet">{t('proofHint')}</p>
      <div class="inline">
        <label class="hidden" for="proof-last">
          {t('backtestLast')}
        </label>
        <select id="proof-last" value={last} onChange={(event) => setLast(Number(event.currentTarget.value))}>
          {[1000, 3000, 10_000].map((count) => (
            <option key={count} value={count}>
              {t('lastN', { n: count })}
            </option>
          ))}
        </select>
        <button type="button" class="main" onClick={() => void run()} disabled={work !== undefined}>
          {t('proofRun')}
        </button>
        {work && (
          <progress max={work.of} value={work.done} aria-label={t('proof')}>
            {work.done}
          </progress>
        )}
      </div>
      <p class="said" role="status">
        {said}
      </p>
      <p class="fault" role="alert">
        {fault}
      </p>
      {shown && <Report proof={shown.proof} />}
      {admin && (
        <p class="decide">
          {shown && (
            <button type="button" class="main" onClick={() => void accept()}>
              {t('proofAccept', { n: shown.proof.trainedOn })} {keys.on && <Key>{keys.keys.accept}</Key>}
            </button>
          )}
          <button type="button" class="plain" onClick={() => void takeBack()}>
            {t('proofTakeBack')}
          </button>
        </p>
      )}
    </div>
  );
}

function Report({ proof }: { proof: NamedProof }) {
  const { comments, trainedOn, lessons, reportedOn, since, before, after, disagreements } = proof;
  const share = (count: number) => `${count} (${Math.round((count / Math.max(1, reportedOn)) * 1000) / 10} %)`;
  return (
    <>
      <section class="card">
        <h2>{t('proofFigures', { n: reportedOn, date: dateOnly(since) })}</h2>
        <p class="quiet">{t('proofParts', { n: comments, trained: trainedOn, lessons })}</p>
        <table>
          <thead>
            <tr>
              <td />
              <th scope="col">{t('proofNow')}</th>
              <th scope="col">{t('proofTaught')}</th>
            </tr>
          </thead>
          <tbody>
            {FIGURES.map(({ of, word }) => (
              <tr key={of}>
                <th scope="row">{t(word)}</th>
                <td>{share(before[of])}</td>
                <td>{share(after[of])}</td>
              </tr>
            ))}
            <tr>
              <th scope="row">{t('heldPerDay')}</th>
              <td>{before.askedPerDay.toFixed(1)}</td>
              <td>{after.askedPerDay.toFixed(1)}</td>
            </tr>
          </tbody>
        </table>
      </section>
      {disagreements.length > 0 && (
        <section class="card">
          <h2>{t('proofDisagreements')}</h2>
          <div class="scroll-x" tabIndex={0} role="region" aria-label={t('proofDisagreements')}>
            <table>
              <thead>
                <tr>
                  <th scope="col">{t('detail')}</th>
                  <th scope="col">{t('proofFile')}</th>
                  <th scope="col">{t('proofNow')}</th>
                  <th scope="col">{t('proofTaught')}</th>
                </tr>
              </thead>
              <tbody>
                {disagreements.map((one) => (
                  <tr key={one.id}>
                    <th scope="row">
                      <a href={`#/comments/${encodeURIComponent(one.id)}`}>{one.author}</a>{' '}
                      <span dir="auto">{one.excerpt}</span>
                    </th>
                    <td>{tMaybe(one.status, one.status)}</td>
                    <td>
                      {t(`v_${one.would}`)}{' '}
                      <span class="quiet">{t('spamScore', { n: Math.round(one.score * 100) })}</span>
                    </td>
                    <td>
                      {t(`v_${one.taught.would}`)}{' '}
                      <span class="quiet">{t('spamScore', { n: Math.round(one.taught.score * 100) })}</span>
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </section>
      )}
    </>
  );
}
