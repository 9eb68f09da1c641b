import type { Table } from '../ports.ts';

/** `writeInTurn` by `write`, for a table that has no better way. */
export const inTurn =
  (write: Table['write']): Table['writeInTurn'] =>
  async (groups) => {
    for (const [index, group] of groups.entries()) {
      if (!(await write(group)).done) return { done: false, failed: index };
    }
    return { done: true };
  };
