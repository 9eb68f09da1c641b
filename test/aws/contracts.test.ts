import { systemClock, ulids } from '../../infra/aws/adapters/ids.ts';
import { clockIdsContract } from '../contracts/clock-ids.contract.ts';
import { busContract } from '../contracts/bus.contract.ts';
import { mailContract } from '../contracts/mail.contract.ts';
import { queueContract } from '../contracts/queue.contract.ts';
import { tableContract } from '../contracts/table.contract.ts';
import { busRig, mailRig, queueRig, REAL_ENDPOINT, tableRig } from './rigs.ts';

const at = REAL_ENDPOINT ?? 'an emulator in this process';
tableContract(`DynamoDB at ${at}`, tableRig);
queueContract(`SQS at ${at}`, queueRig);
// These two read back what arrived, which no real service lets anybody do.
busContract('EventBridge as it documents its requests', busRig);
mailContract('SES in an emulator in this process', mailRig);
clockIdsContract('Lambda', async () => ({ clock: systemClock, ids: ulids(systemClock), close: async () => {} }));
