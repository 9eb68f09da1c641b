import { queueContract } from './queue.contract.ts';
import { queueRig, tableRig } from './rigs.ts';
import { tableContract } from './table.contract.ts';

tableContract('SQLite', tableRig);
queueContract('SQLite', queueRig);
