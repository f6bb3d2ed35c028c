import { Command } from '@commander-js/extra-typings';
export function demoCommand() { return new Command('demo'); }
