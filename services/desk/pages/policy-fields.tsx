import { t, tMaybe, type Word } from '../words.ts';
import { DEFAULT_HOURS, HoursField, type Hours } from './hours-field.tsx';

/** A policy as JSON: what the form does not know stays as it is. */
export type Document = Record<string, unknown>;

type Kind = 'number' | 'percent' | 'check' | 'maybe' | 'entries' | 'lines' | 'choice' | 'moment' | 'hours';
/** `name` is a path into the document: `providers.akismet`. */
type Field = { name: string; kind: Kind; word: Word; choices?: readonly string[]; hint?: Word };

/** Every field of the policy: a test holds it against the schema. */
export const GROUPS: readonly { word: Word; fields: readonly Field[] }[] = [
  {
    word: 'groupJudge',
    fields: [
      { name: 'holdAt', kind: 'percent', word: 'p_holdAt' },
      { name: 'rejectAt', kind: 'percent', word: 'p_rejectAt' },
      { name: 'toxicityHoldAt', kind: 'percent', word: 'p_toxicityHoldAt' },
      { name: 'linksBeforeHold', kind: 'number', word: 'p_linksBeforeHold' },
      { name: 'trustAfter', kind: 'number', word: 'p_trustAfter' },
      { name: 'holdFirst', kind: 'check', word: 'p_holdFirst' },
      { name: 'premoderate', kind: 'check', word: 'p_premoderate' },
    ],
  },
  {
    word: 'groupLists',
    fields: [
      { name: 'blocklist', kind: 'entries', word: 'p_blocklist', hint: 'entriesHint' },
      { name: 'linkHostBlocklist', kind: 'entries', word: 'p_linkHostBlocklist', hint: 'entriesHint' },
      { name: 'trustedWriters', kind: 'lines', word: 'p_trustedWriters', hint: 'p_trustedWritersHint' },
    ],
  },
  {
    word: 'groupHours',
    fields: [
      { name: 'hours', kind: 'hours', word: 'p_hours' },
      { name: 'holdUntil', kind: 'moment', word: 'p_holdUntil', hint: 'p_holdUntilHint' },
      { name: 'heatPerMinute', kind: 'maybe', word: 'p_heatPerMinute', hint: 'p_heatPerMinuteHint' },
    ],
  },
  {
    word: 'groupQueue',
    fields: [
      { name: 'reportersToQueue', kind: 'number', word: 'p_reportersToQueue' },
      { name: 'appeals', kind: 'number', word: 'p_appeals' },
      { name: 'reminderHours', kind: 'number', word: 'p_reminderHours' },
      { name: 'escalationHours', kind: 'number', word: 'p_escalationHours' },
      { name: 'defaultAfterHours', kind: 'maybe', word: 'p_defaultAfterHours' },
      { name: 'defaultAction', kind: 'choice', word: 'p_defaultAction', choices: ['publish', 'reject'] },
      { name: 'reportsHide', kind: 'check', word: 'p_reportsHide' },
      { name: 'reasons', kind: 'lines', word: 'p_reasons', hint: 'p_reasonsHint' },
    ],
  },
  {
    word: 'groupWriters',
    fields: [
      { name: 'bodyBytes', kind: 'number', word: 'p_bodyBytes' },
      { name: 'nameCharacters', kind: 'number', word: 'p_nameCharacters' },
      { name: 'replyDepth', kind: 'number', word: 'p_replyDepth' },
      { name: 'editMinutes', kind: 'number', word: 'p_editMinutes' },
      { name: 'clientPerMinute', kind: 'number', word: 'p_clientPerMinute' },
      { name: 'clientPerHour', kind: 'number', word: 'p_clientPerHour' },
      { name: 'sitePerMinute', kind: 'number', word: 'p_sitePerMinute' },
      { name: 'closeAfterDays', kind: 'maybe', word: 'p_closeAfterDays' },
      { name: 'eraseAfterDays', kind: 'maybe', word: 'p_eraseAfterDays' },
      { name: 'undoSeconds', kind: 'number', word: 'p_undoSeconds' },
      { name: 'notifyBurstMinutes', kind: 'number', word: 'p_notifyBurstMinutes' },
      { name: 'images', kind: 'check', word: 'p_images' },
    ],
  },
  {
    word: 'groupProviders',
    fields: [
      { name: 'providers.akismet', kind: 'check', word: 'p_akismet' },
      { name: 'providers.bedrock', kind: 'check', word: 'p_bedrock' },
      { name: 'providers.bedrockPerDay', kind: 'number', word: 'p_bedrockPerDay' },
    ],
  },
];

type Entry = { term?: string; host?: string; action?: string; expiresAt?: number };

/** One entry a line; `!` in front rejects instead of holding, `| 2027-01-31` at the end is its last day (UTC). */
export function linesOf(list: readonly Entry[]): string {
  return list
    .map(({ term, host, action, expiresAt }) => {
      const until = expiresAt === undefined ? '' : ` | ${new Date(expiresAt - 1).toISOString().slice(0, 10)}`;
      return `${action === 'reject' ? '!' : ''}${term ?? host ?? ''}${until}`;
    })
    .join('\n');
}

const UNTIL = /\s*\|\s*(\d{4}-\d\d-\d\d)\s*$/;
const DAY_MS = 86_400_000;

export function entriesOf(text: string, key: 'term' | 'host'): Entry[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.replace(UNTIL, '').replace(/^!/, '').trim() !== '')
    .map((line) => {
      const end = Date.parse(UNTIL.exec(line)?.[1] ?? '');
      return {
        [key]: line.replace(UNTIL, '').replace(/^!/, '').trim(),
        action: line.startsWith('!') ? 'reject' : 'hold',
        ...(Number.isFinite(end) && { expiresAt: end + DAY_MS }),
      };
    });
}

const at = (document: Document, name: string): unknown =>
  name.split('.').reduce<unknown>((part, step) => (part as Document | undefined)?.[step], document);

/** The document with one field changed; those around it stay. */
export function withField(document: Document, name: string, value: unknown): Document {
  const [first = '', ...rest] = name.split('.');
  if (rest.length === 0) return { ...document, [first]: value };
  return { ...document, [first]: withField((document[first] ?? {}) as Document, rest.join('.'), value) };
}

/** A moment as `datetime-local` has it: in the time zone of whoever looks. */
function localMoment(ms: number): string {
  const shifted = new Date(ms - new Date(ms).getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, 16);
}

const round = (value: number) => Math.round(value * 100) / 100;

export function FieldInput({
  field,
  draft,
  onSet,
}: {
  field: Field;
  draft: Document;
  onSet: (name: string, value: unknown) => void;
}) {
  const { name, kind, word } = field;
  const value = at(draft, name);
  const hint = field.hint && <small class="quiet">{t(field.hint)}</small>;
  switch (kind) {
    case 'check':
      return (
        <label class="check">
          <input
            type="checkbox"
            name={name}
            checked={value === true}
            onChange={(event) => onSet(name, event.currentTarget.checked)}
          />
          {t(word)}
        </label>
      );
    case 'entries':
    case 'lines': {
      const list = Array.isArray(value) ? value : [];
      const read = (text: string) =>
        kind === 'entries'
          ? entriesOf(text, name === 'blocklist' ? 'term' : 'host')
          : text.split('\n').flatMap((line) => line.trim() || []);
      return (
        <label class="field wide">
          {t(word)}
          <textarea
            name={name}
            rows={4}
            defaultValue={kind === 'entries' ? linesOf(list as Entry[]) : list.join('\n')}
            onInput={(event) => onSet(name, read(event.currentTarget.value))}
          />
          {hint}
        </label>
      );
    }
    case 'choice':
      return (
        <label class="field">
          {t(word)}
          <select name={name} value={String(value)} onChange={(event) => onSet(name, event.currentTarget.value)}>
            {field.choices?.map((choice) => (
              <option key={choice} value={choice}>
                {tMaybe(choice, choice)}
              </option>
            ))}
          </select>
        </label>
      );
    case 'moment':
      return (
        <label class="field">
          {t(word)}
          <input
            type="datetime-local"
            name={name}
            value={typeof value === 'number' ? localMoment(value) : ''}
            onInput={(event) => {
              const typed = Date.parse(event.currentTarget.value);
              onSet(name, Number.isFinite(typed) ? typed : null);
            }}
          />
          {hint}
        </label>
      );
    case 'hours':
      return (
        <HoursField
          hours={(Array.isArray(value) ? value : []) as Hours[]}
          onSet={(hours) => onSet(name, hours)}
          onAdd={(hours) => onSet(name, [...hours, DEFAULT_HOURS()])}
        />
      );
    default: {
      const percent = kind === 'percent';
      return (
        <label class="field">
          {t(word)}
          <input
            type="number"
            name={name}
            min="0"
            max={percent ? 100 : undefined}
            step="any"
            placeholder={kind === 'maybe' ? t('never') : undefined}
            value={typeof value === 'number' ? (percent ? round(value * 100) : value) : ''}
            onInput={(event) => {
              const { value: typed } = event.currentTarget;
              if (typed !== '') onSet(name, Number(typed) / (percent ? 100 : 1));
              else if (kind === 'maybe') onSet(name, null);
            }}
          />
          {hint}
        </label>
      );
    }
  }
}
