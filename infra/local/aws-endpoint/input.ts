import { constraint } from './fault.ts';

/** The parameters of one call, not yet looked at. */
export type Input = Readonly<Record<string, unknown>>;

/** A string member, or the service's own complaint. @param longest in characters */
export function text(input: Input, member: string, { longest = 1_048_576, shortest = 0 } = {}): string {
  const value = input[member];
  if (value === undefined || value === null) throw constraint(member, value, 'not be null');
  return checkText(value, member, longest, shortest);
}

export function optionalText(
  input: Input,
  member: string,
  { longest = 1_048_576, shortest = 0 } = {},
): string | undefined {
  const value = input[member];
  return value === undefined || value === null ? undefined : checkText(value, member, longest, shortest);
}

/** One of the words that the service knows, or none. */
export function optionalWord(input: Input, member: string, words: readonly string[]): string | undefined {
  const word = optionalText(input, member);
  if (word !== undefined && !words.includes(word))
    throw constraint(member, word, `satisfy enum value set: [${words.join(', ')}]`);
  return word;
}

function checkText(value: unknown, member: string, longest: number, shortest: number): string {
  if (typeof value !== 'string') throw constraint(member, value, 'be a string');
  if (value.length > longest) throw constraint(member, value, `have length less than or equal to ${longest}`);
  if (value.length < shortest) throw constraint(member, value, `have length greater than or equal to ${shortest}`);
  return value;
}

/** A whole number within its bounds, both inclusive; `otherwise` where there is none. */
export function whole(
  input: Input,
  member: string,
  { least, most, otherwise }: { least: number; most: number; otherwise: number },
): number {
  const value = input[member];
  if (value === undefined || value === null) return otherwise;
  if (typeof value !== 'number' || !Number.isInteger(value)) throw constraint(member, value, 'be an integer');
  if (value < least) throw constraint(member, value, `have value greater than or equal to ${least}`);
  if (value > most) throw constraint(member, value, `have value less than or equal to ${most}`);
  return value;
}

export function flag(input: Input, member: string, otherwise: boolean): boolean {
  const value = input[member];
  if (value === undefined || value === null) return otherwise;
  if (typeof value !== 'boolean') throw constraint(member, value, 'be a boolean');
  return value;
}

/** A list of strings; empty where there is none. */
export function texts(input: Input, member: string): readonly string[] {
  const value = input[member];
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || value.some((entry) => typeof entry !== 'string')) {
    throw constraint(member, value, 'be a list of strings');
  }
  return value as string[];
}
