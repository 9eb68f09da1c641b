import { currentLanguage, t } from '../words.ts';

export type Hours = { days: number[]; from: string; to: string; timeZone: string };

const DAYS = [1, 2, 3, 4, 5, 6, 0];
/** The fourth of January 1970 was a Sunday. */
const SUNDAY_MS = 3 * 86_400_000;

/** Every night, where whoever sets it lives. */
export const DEFAULT_HOURS = (): Hours => ({
  days: [...DAYS].sort(),
  from: '22:00',
  to: '07:00',
  timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
});

function dayName(day: number): string {
  const format = new Intl.DateTimeFormat(currentLanguage(), { weekday: 'short', timeZone: 'UTC' });
  return format.format(SUNDAY_MS + day * 86_400_000);
}

/** The hours in which everything waits, one group each: days, from, to, time zone. */
export function HoursField({
  hours,
  onSet,
  onAdd,
}: {
  hours: readonly Hours[];
  onSet: (hours: Hours[]) => void;
  onAdd: (hours: readonly Hours[]) => void;
}) {
  const change = (index: number, some: Partial<Hours>) =>
    onSet(hours.map((one, at) => (at === index ? { ...one, ...some } : one)));
  const toggle = (index: number, day: number, on: boolean) => {
    const days = (hours[index]?.days ?? []).filter((one) => one !== day);
    // Hours without a day are none: the last one stays.
    if (on || days.length > 0) change(index, { days: (on ? [...days, day] : days).sort() });
  };
  return (
    <div class="field wide">
      <span>{t('p_hours')}</span>
      {hours.map((one, index) => (
        <fieldset key={index} class="hours">
          <legend class="hidden">{t('hoursN', { n: index + 1 })}</legend>
          <span class="days">
            {DAYS.map((day) => (
              <label key={day} class="check">
                <input
                  type="checkbox"
                  checked={one.days.includes(day)}
                  onChange={(event) => toggle(index, day, event.currentTarget.checked)}
                />
                {dayName(day)}
              </label>
            ))}
          </span>
          <label>
            {t('hoursFrom')}
            <input
              type="time"
              required
              value={one.from}
              onInput={(event) => event.currentTarget.value && change(index, { from: event.currentTarget.value })}
            />
          </label>
          <label>
            {t('hoursTo')}
            <input
              type="time"
              required
              value={one.to}
              onInput={(event) => event.currentTarget.value && change(index, { to: event.currentTarget.value })}
            />
          </label>
          <label>
            {t('hoursZone')}
            <input value={one.timeZone} onInput={(event) => change(index, { timeZone: event.currentTarget.value })} />
          </label>
          <button type="button" class="plain" onClick={() => onSet(hours.filter((_one, at) => at !== index))}>
            {t('remove')} <span class="hidden">{t('hoursN', { n: index + 1 })}</span>
          </button>
        </fieldset>
      ))}
      <p>
        <button type="button" onClick={() => onAdd(hours)}>
          {t('hoursAdd')}
        </button>{' '}
        <small class="quiet">{t('p_hoursHint')}</small>
      </p>
    </div>
  );
}
