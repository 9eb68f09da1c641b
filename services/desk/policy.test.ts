import { describe, expect, it } from 'vitest';
import { Policy } from '../../shared/policy.ts';
import { entriesOf, GROUPS, linesOf, withField } from './pages/policy-fields.tsx';

describe('the policy form', () => {
  it('has a field for everything that a policy sets', () => {
    const paths = (document: object, prefix = ''): string[] =>
      Object.entries(document).flatMap(([name, value]) =>
        value && typeof value === 'object' && !Array.isArray(value) ? paths(value, `${name}.`) : `${prefix}${name}`,
      );
    const fields = GROUPS.flatMap((group) => group.fields.map(({ name }) => name));
    expect(fields.toSorted()).toEqual(paths(Policy.parse({})).toSorted());
  });

  it('changes one field and leaves its neighbours', () => {
    const document = { providers: { akismet: false, bedrockPerDay: 7 }, holdAt: 0.5 };
    expect(withField(document, 'providers.akismet', true)).toEqual({
      providers: { akismet: true, bedrockPerDay: 7 },
      holdAt: 0.5,
    });
  });

  it('writes a list a line an entry, and reads the same entries back', () => {
    const list = [
      { term: 'casino', action: 'reject' },
      { term: 'free | money', action: 'hold' },
      { term: 'c++', action: 'hold', expiresAt: Date.UTC(2027, 1, 1) },
    ];
    const text = linesOf(list);
    expect(text).toBe('!casino\nfree | money\nc++ | 2027-01-31');
    expect(entriesOf(`${text}\n\n  !\n`, 'term')).toEqual(list);
    expect(entriesOf('!shop.example | 2027-01-31', 'host')).toEqual([
      { host: 'shop.example', action: 'reject', expiresAt: Date.UTC(2027, 1, 1) },
    ]);
  });
});
