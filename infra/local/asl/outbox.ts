import type * as events from './events.ts';
import type { Effect, Frame, HistoryEvent, Snapshot, World } from './types.ts';

/** What one call of the interpreter tells its caller: events and effects, in order, and the ids in them. */
export class Outbox {
  readonly effects: Effect[] = [];
  readonly events: HistoryEvent[] = [];
  private readonly snapshot: Snapshot;
  private readonly world: World;

  constructor(snapshot: Snapshot, world: World) {
    this.snapshot = snapshot;
    this.world = world;
  }

  /** Counts an event, and records it if wanted. */
  emit(type: string, previousEventId: number, details?: () => events.Details): number {
    const id = this.snapshot.nextEvent;
    this.snapshot.nextEvent = id + 1;
    if (this.world.note) {
      this.world.note({ id, previousEventId, timestamp: this.world.nowMs, type }, details);
    } else if (this.world.record !== false) {
      this.events.push({ id, previousEventId, timestamp: this.world.nowMs, type, ...details?.() });
    }
    return id;
  }

  /** An event of a frame's chain: the next one points back at it. */
  chain(frame: Frame, type: string, details?: () => events.Details): void {
    frame.lastEvent = this.emit(type, frame.lastEvent, details);
  }

  id(prefix: string | number, kind: string): string {
    const id = this.snapshot.nextId;
    this.snapshot.nextId = id + 1;
    return `${prefix}:${id}${kind}`;
  }

  timer(prefix: string | number, delayMs: number, kind = ''): string {
    return this.timerAt(prefix, this.world.nowMs + delayMs, kind);
  }

  timerAt(prefix: string | number, atMs: number, kind: string): string {
    const timerId = this.id(prefix, kind);
    this.effects.push({ type: 'timer', timerId, atMs });
    return timerId;
  }

  cancelTimer(timerId: string | undefined): void {
    if (timerId !== undefined) this.effects.push({ type: 'cancel', timerId });
  }
}
