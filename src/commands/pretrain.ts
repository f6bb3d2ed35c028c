import { Command } from '@commander-js/extra-typings';
export function pretrainCommand() { return new Command('pretrain'); }
