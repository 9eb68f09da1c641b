import { type FieldFault, SluiceError } from '../../../shared/errors.ts';
import { RuleError } from './choice.ts';
import { IntrinsicSyntaxError } from './intrinsics.ts';
import { PathSyntaxError } from './jsonpath.ts';
import { PayloadSyntaxError } from './template.ts';
import type { Json } from './types.ts';

type Fault = { code: string; message: string; pointer: string };

/** What is wrong with a definition, each with its place, so that all of it is told at once. */
export class Faults {
  private readonly found: Fault[] = [];

  add(message: string, pointer: string, code = 'SCHEMA_VALIDATION_FAILED'): void {
    this.found.push({ code, message, pointer: pointer === '' ? '/' : pointer });
  }

  /** Every field that is not among those known. */
  unknown(fields: { [key: string]: Json }, known: readonly string[], pointer: string): void {
    for (const field of Object.keys(fields)) {
      if (!known.includes(field)) this.add(`Field '${field}' is not supported`, pointer);
    }
  }

  /** Runs a compilation that may find bad syntax, which becomes a fault at that place. */
  attempt<T>(pointer: string, run: () => T): T | undefined {
    try {
      return run();
    } catch (error) {
      if (error instanceof PayloadSyntaxError) this.add(error.message, pointer);
      else if (error instanceof RuleError) this.add(error.message, `${pointer}${error.pointer}`);
      else if (error instanceof PathSyntaxError || error instanceof IntrinsicSyntaxError)
        this.add(error.message, pointer);
      else if (typeof (error as { code?: unknown }).code === 'string') {
        const { code, message } = error as { code: string; message: string };
        this.add(`The JSONata expression is not valid: ${code}: ${message}`, pointer);
      } else throw error;
      return undefined;
    }
  }

  /** @throws SluiceError `Definition.Invalid` when there is any */
  check(): void {
    if (this.found.length > 0) throw invalid(this.found);
  }
}

/** The definition is none, in the service's words. */
export function invalid(faults: readonly Fault[], cause?: unknown): SluiceError {
  const text = faults
    .map(({ code, message, pointer }) => `${code}: ${message}${pointer === '' ? '' : ` at ${pointer}`}`)
    .join(', ');
  return new SluiceError('Definition.Invalid', `Invalid State Machine Definition: '${text}'`, {
    hint: 'correct the definition at the places named',
    fields: faults.map(({ message, pointer }): FieldFault => ({
      pointer: pointer === '/' ? '' : pointer,
      detail: message,
    })),
    ...(cause === undefined ? {} : { cause }),
  });
}
