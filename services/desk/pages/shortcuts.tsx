import { useState } from 'preact/hooks';
import { COMMANDS, defaultKeys, moveKey, type Command, type Keys } from '../keys.ts';
import { Dialog } from '../parts.tsx';
import { t } from '../words.ts';

/** The sheet of shortcuts, where they are also moved and switched off. */
export function Shortcuts({
  keys,
  onKeys,
  onClose,
}: {
  keys: Keys;
  onKeys: (keys: Keys) => void;
  onClose: () => void;
}) {
  const [asking, setAsking] = useState<Command | undefined>();
  const press = (event: KeyboardEvent) => {
    if (!asking || event.key === 'Tab' || event.key.length !== 1 || event.key === ' ') return;
    event.preventDefault();
    onKeys(moveKey(keys, asking, event.key));
    setAsking(undefined);
  };
  return (
    <Dialog label={t('help')} onClose={onClose}>
      <label class="check">
        <input
          type="checkbox"
          checked={keys.on}
          onChange={(event) => onKeys({ ...keys, on: event.currentTarget.checked })}
        />
        {t('keysOn')}
      </label>
      <p class="quiet">{t('keysHint')}</p>
      <dl class="keys">
        {(Object.keys(COMMANDS) as Command[]).map((name) => (
          <div key={name}>
            <dt>{t(COMMANDS[name].word)}</dt>
            <dd>
              <button
                type="button"
                class="key"
                onClick={() => setAsking(name)}
                onKeyDown={press}
                onBlur={() => setAsking(undefined)}
                aria-label={`${t(COMMANDS[name].word)}: ${asking === name ? t('pressKey') : keys.keys[name]}`}
              >
                {asking === name ? t('pressKey') : keys.keys[name]}
              </button>
            </dd>
          </div>
        ))}
      </dl>
      <button type="button" onClick={() => onKeys(defaultKeys())}>
        {t('keysReset')}
      </button>
    </Dialog>
  );
}
