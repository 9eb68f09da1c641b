import type { Machine, Scope, State } from './states.ts';
import { SluiceError } from '../../../shared/errors.ts';
import { type Item, makeContext } from './context.ts';
import type { Env } from './env.ts';
import type { Frame, Json, Snapshot, World } from './types.ts';

/** The frames of one execution: which state each is in, whose child it is, and what it can see. */
export class Frames {
  private readonly machine: Machine;
  private readonly snapshot: Snapshot;
  private readonly world: World;

  constructor(machine: Machine, snapshot: Snapshot, world: World) {
    this.machine = machine;
    this.snapshot = snapshot;
    this.world = world;
  }

  /** Null at the top level. */
  parentOf(frame: Frame): Frame | null {
    return frame.parent === null ? null : (this.snapshot.frames[frame.parent] as Frame);
  }

  private scopeOf(frame: Frame): Scope {
    const parent = this.parentOf(frame);
    if (!parent) return this.machine.scope;
    const state = this.stateOf(parent);
    const scope =
      state.type === 'Map' ? state.processor : state.type === 'Parallel' ? state.branches[frame.index] : undefined;
    return scope ?? this.lost(parent);
  }

  /** @throws SluiceError `Definition.Invalid` when the definition lacks the state */
  stateOf(frame: Frame): State {
    return this.scopeOf(frame).states.get(frame.state) ?? this.lost(frame);
  }

  private lost(frame: Frame): never {
    throw new SluiceError(
      'Definition.Invalid',
      `the execution is in state '${frame.state}', which this definition lacks`,
      {
        hint: `resume with the definition ${this.snapshot.definition}, or keep that state`,
      },
    );
  }

  /** What expressions and paths of the frame's state see. */
  env(frame: Frame, input: Json, more: { result?: Json; errorOutput?: Json; item?: Item } = {}): Env {
    let context: Json | undefined;
    return {
      input,
      result: more.result,
      errorOutput: more.errorOutput,
      context: () => (context ??= this.context(frame, more.item)),
      variable: (name) => this.variable(frame, name),
      world: this.world,
    };
  }

  private variable(frame: Frame, name: string): Json | undefined {
    for (let scope: Frame | null = frame; scope; scope = this.parentOf(scope)) {
      if (Object.hasOwn(scope.vars, name)) return scope.vars[name];
    }
    return undefined;
  }

  private context(frame: Frame, item?: Item): Json {
    const { type } = this.stateOf(frame);
    const retries = type === 'Task' || type === 'Parallel' || type === 'Map';
    return makeContext(this.snapshot, frame, retries, item ?? this.itemOf(frame));
  }

  /** The item of the nearest Map around the frame. */
  private itemOf(frame: Frame): Item | undefined {
    for (let child = frame, parent = this.parentOf(frame); parent; child = parent, parent = this.parentOf(parent)) {
      const items = parent.waiting?.for === 'children' ? parent.waiting.items : null;
      if (items) return { index: child.index, value: items[child.index] as Json };
    }
    return undefined;
  }
}
