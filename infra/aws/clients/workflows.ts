import { SFNClient } from '@aws-sdk/client-sfn';
import { stepFunctions } from '../adapters/workflows.ts';
import type { Environment } from '../environment.ts';
import { CLIENT } from './config.ts';

export const workflows = ({ workflows }: Environment) => stepFunctions(new SFNClient(CLIENT), { arns: workflows });
