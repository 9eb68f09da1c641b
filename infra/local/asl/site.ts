import type { Env } from './env.ts';
import type { Faults } from './faults.ts';
import { compileIntrinsic, looksLikeIntrinsic } from './intrinsics.ts';
import { compileExpression, isExpression } from './jsonata.ts';
import { compilePath } from './jsonpath.ts';
import type { NumberField, ResultPath, TextField } from './states.ts';
import { compilePathField, compilePayload, compileReference, compileTemplate, type Template } from './template.ts';
import type { Json } from './types.ts';

/** One object of the definition while its fields are compiled. */
export class Site {
  private readonly faults: Faults;
  readonly fields: { [key: string]: Json };
  readonly pointer: string;
  readonly jsonata: boolean;

  constructor(faults: Faults, fields: { [key: string]: Json }, pointer: string, jsonata: boolean) {
    this.faults = faults;
    this.fields = fields;
    this.pointer = pointer;
    this.jsonata = jsonata;
  }

  require(field: string): void {
    if (this.fields[field] === undefined) this.faults.add(`These fields are required: [${field}]`, this.pointer);
  }

  text(field: string): void {
    const value = this.fields[field];
    if (value !== undefined && typeof value !== 'string')
      this.faults.add('Expected value of type String', `${this.pointer}/${field}`);
  }

  list(field: string): Json[] {
    const value = this.fields[field];
    if (value !== undefined && !Array.isArray(value))
      this.faults.add('Expected value of type Array', `${this.pointer}/${field}`);
    return Array.isArray(value) ? value : [];
  }

  /** In JSONata an expression anywhere; in JSONPath keys that end in `.$`. */
  template(field: string, named: string): Template | undefined {
    const value = this.fields[field];
    if (value === undefined) return undefined;
    if (!this.jsonata) return this.payload(field);
    return this.faults.attempt(`${this.pointer}/${field}`, () => compileTemplate(value, named));
  }

  payload(field: string): Template | undefined {
    const value = this.fields[field];
    if (value === undefined || this.jsonata) return undefined;
    return this.faults.attempt(`${this.pointer}/${field}`, () => compilePayload(value));
  }

  /** InputPath, OutputPath: null stands for an empty object. */
  pathOrNull(field: string): ((env: Env) => Json) | undefined {
    const value = this.fields[field];
    if (value === undefined || value === '$' || this.jsonata) return undefined;
    if (value === null) return () => ({});
    return this.faults.attempt(`${this.pointer}/${field}`, () => compilePathField(this.string(field)));
  }

  resultPath(): ResultPath {
    const value = this.fields['ResultPath'];
    if (value === undefined || value === '$' || this.jsonata) return 'replace';
    if (value === null) return 'discard';
    const pointer = `${this.pointer}/ResultPath`;
    const path = this.faults.attempt(pointer, () => compilePath(this.string('ResultPath')));
    if (path && (path.root.of !== 'input' || !path.definite)) {
      this.faults.add('Value is not a Reference Path', pointer);
    }
    return path ?? 'replace';
  }

  /** `FieldPath`, which JSONPath has beside `Field`, and of which there may be one alone. */
  private pathOf(field: string): Json | undefined {
    const path = this.jsonata ? undefined : this.fields[`${field}Path`];
    if (path !== undefined && this.fields[field] !== undefined) {
      this.faults.add(`Only one of '${field}' and '${field}Path' is allowed`, this.pointer);
    }
    return path;
  }

  /** `Field` or, in JSONPath, `FieldPath`. */
  number(
    field: string,
    { least, most = Infinity, broken = false }: { least: number; most?: number; broken?: boolean },
  ): NumberField | undefined {
    const pathField = `${field}Path`;
    const value = this.fields[field];
    const path = this.pathOf(field);
    if (path !== undefined) {
      const source = this.string(pathField);
      const read = this.faults.attempt(`${this.pointer}/${pathField}`, () => compilePathField(source));
      return read && { field: pathField, source, of: 'path', read };
    }
    if (value === undefined) return undefined;
    if (this.jsonata && isExpression(value)) {
      const expression = this.faults.attempt(`${this.pointer}/${field}`, () => compileExpression(value, field));
      return expression && { field, source: expression.source, of: 'expression', read: expression.evaluate };
    }
    if (typeof value !== 'number' || !(broken || Number.isInteger(value)) || value < least || value > most) {
      const kind = broken ? 'a number' : 'an integer';
      this.faults.add(
        `'${field}' must be ${kind} of at least ${least}${most === Infinity ? '' : ` and at most ${most}`}`,
        `${this.pointer}/${field}`,
      );
    }
    return { field, source: String(value), of: 'literal', read: () => value };
  }

  /** `Field` or, in JSONPath, `FieldPath`, which may be an intrinsic function. */
  textOrPath(field: string): TextField | undefined {
    const pathField = `${field}Path`;
    const value = this.fields[field];
    const path = this.pathOf(field);
    if (path !== undefined) {
      const source = this.string(pathField);
      const read = this.faults.attempt(`${this.pointer}/${pathField}`, () =>
        looksLikeIntrinsic(source) ? compileIntrinsic(source) : compileReference(source, pathField),
      );
      return read && { field: pathField, source, read };
    }
    if (value === undefined) return undefined;
    const source = this.string(field);
    const read = this.jsonata ? this.template(field, field) : (): Json => source;
    return read && { field, source: isExpression(source) ? source.slice(2, -2).trim() : source, read };
  }

  private string(field: string): string {
    this.text(field);
    return String(this.fields[field]);
  }
}
