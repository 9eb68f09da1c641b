import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { eventBridgeBus } from '../adapters/bus.ts';
import type { Environment } from '../environment.ts';
import { CLIENT } from './config.ts';

export const bus = ({ bus }: Environment) => eventBridgeBus(new EventBridgeClient(CLIENT), { busName: bus! });
