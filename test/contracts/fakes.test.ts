import { memoryTable } from '../fakes.ts';
import { tableContract } from './table.contract.ts';

/** The table that unit tests run on keeps what it promises. (The queue beside it has no groups and no dead letters.) */
let nowMs = Date.UTC(2026, 0, 15);
const now = () => nowMs;
const pass = async (ms: number) => {
  nowMs += ms;
};

tableContract('the fake of the tests', async () => ({ table: memoryTable(now), now, pass, close: async () => {} }));
