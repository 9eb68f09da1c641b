import { queueContract } from '../contracts/queue.contract.ts';
import { tableContract } from '../contracts/table.contract.ts';
import { queueRig, REAL_ENDPOINT, tableRig } from './rigs.ts';

const at = REAL_ENDPOINT ?? 'an emulator in this process';
tableContract(`DynamoDB at ${at}`, tableRig);
queueContract(`SQS at ${at}`, queueRig);
