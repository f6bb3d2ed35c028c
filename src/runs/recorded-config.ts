import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { schemas } from '../config/schema.js';
import { UserError } from '../util/errors.js';
import type { ConfigDifference } from './compare-config.js';
import { commandStage } from './paths.js';

export const CONFIG_NAME = 'config.yaml';

/**
 * The config that a run's folder keeps. Keys that have come since get their defaults, if it still fits the schema.
 *
 * @param stage of the run, as its folder is called
 * @returns undefined where there is none
 * @throws UserError when it is damaged
 */
export function recordedConfig(folder: string, stage: string): object | undefined {
  const file = join(folder, CONFIG_NAME);
  if (!existsSync(file)) return undefined;
  let value: unknown;
  try {
    value = parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new UserError(`${file}: damaged: not YAML.`, {
      hint: 'Run again with --force to start this run over.',
      cause: error,
    });
  }
  const checked = schemas[commandStage(stage)].safeParse(value);
  return checked.success ? checked.data : typeof value === 'object' && value !== null ? value : {};
}

/** "train.epochs: 3 then, 5 now" */
export function differenceText({ path, before, now }: ConfigDifference): string {
  const show = (value: unknown): string => (value === undefined ? 'not there' : JSON.stringify(value));
  return `${path}: ${show(before)} then, ${show(now)} now`;
}
