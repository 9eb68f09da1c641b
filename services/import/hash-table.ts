/**
 * Numbers the 64-bit keys that are added, from 0: open addressing over typed arrays, about 20 bytes a key, so that ten
 * million comments fit where strings would not. Two keys that collide are taken as one; at ten million the chance is
 * under one in a hundred thousand.
 */
export class HashTable {
  size = 0;
  #slots = new Int32Array(1024); // number + 1; 0 is free
  #high = new Uint32Array(512);
  #low = new Uint32Array(512);

  /** The key's number, a new one if need be. */
  add(high: number, low: number): number {
    const slot = this.#slot(high, low);
    const found = this.#slots[slot]! - 1;
    if (found >= 0) return found;
    if (this.size === this.#high.length) {
      this.#grow();
      return this.add(high, low);
    }
    this.#high[this.size] = high;
    this.#low[this.size] = low;
    this.#slots[slot] = ++this.size;
    return this.size - 1;
  }

  /** The key's number, or -1. */
  find(high: number, low: number): number {
    return this.#slots[this.#slot(high, low)]! - 1;
  }

  #slot(high: number, low: number): number {
    const mask = this.#slots.length - 1; // at most half full: the loop ends
    let slot = low & mask;
    for (;;) {
      const number = this.#slots[slot]! - 1;
      if (number < 0 || (this.#low[number] === low && this.#high[number] === high)) return slot;
      slot = (slot + 1) & mask;
    }
  }

  #grow(): void {
    const [high, low] = [this.#high, this.#low];
    this.#high = new Uint32Array(high.length * 2);
    this.#low = new Uint32Array(low.length * 2);
    this.#high.set(high);
    this.#low.set(low);
    this.#slots = new Int32Array(this.#slots.length * 2);
    for (let number = 0; number < this.size; number++)
      this.#slots[this.#slot(high[number]!, low[number]!)] = number + 1;
  }
}
