import { useState } from 'preact/hooks';
import { Dialog, Key, Loading, useRead } from '../parts.tsx';
import type { Action } from '../types.ts';
import { t, tMaybe } from '../words.ts';

/** The reasons that a site's policy has, in its order; undefined until they are read. */
export function useReasons(site: string | undefined): readonly string[] | undefined {
  const path = site === undefined ? undefined : `/v1/moderation/sites/${site}/policy`;
  const { data, problem } = useRead<{ policy: { reasons: string[] } }>(path);
  return data?.policy.reasons ?? (problem && FIRST_REASONS);
}

/** What every policy begins with. */
const FIRST_REASONS = ['abuse', 'off-topic', 'illegal', 'personal-data', 'duplicate', 'other'];

/** Asks why: one digit, and the decision goes. */
export function Why({
  action,
  codes,
  onPick,
  onClose,
}: {
  action: Action;
  codes: readonly string[] | undefined;
  onPick: (more: { reason: string; message?: string }) => void;
  onClose: () => void;
}) {
  const [message, setMessage] = useState('');
  const pick = (reason: string) => onPick({ reason, ...(message.trim() && { message: message.trim() }) });
  const onKey = (event: KeyboardEvent) => {
    if (event.target instanceof HTMLTextAreaElement) return;
    const reason = codes?.[Number(event.key) - 1];
    if (!reason) return;
    event.preventDefault();
    pick(reason);
  };
  return (
    <Dialog label={t(action === 'remove' ? 'whyRemove' : 'whyReject')} onClose={onClose} onKey={onKey}>
      <div class="reasons">
        {/* Until then nothing to press: a reason must not change under the hand. */}
        {!codes && <Loading />}
        {codes?.map((reason, index) => (
          <button key={reason} type="button" autofocus={index === 0} onClick={() => pick(reason)}>
            {index < 9 && <Key>{String(index + 1)}</Key>} {tMaybe(`reason_${reason}`, reason)}
          </button>
        ))}
        <label>
          {t('messageToWriter')}
          <textarea
            rows={2}
            maxLength={1000}
            value={message}
            onInput={(event) => setMessage(event.currentTarget.value)}
          />
        </label>
      </div>
    </Dialog>
  );
}
