import { parse } from 'yaml';
import { z } from 'zod';
import { matchesGlob } from './globs.js';

// Which files of a repository hold which rows: as its data set card says, else as the names of the files do. See
// "Data files configuration" and "File names and splits" in the hub's documentation; only parquet files count here.

/** Paths of parquet files, in order, by config and split. */
export type Catalogue = Map<string, Map<string, string[]>>;

export const DEFAULT_CONFIG = 'default';

const SHARD = /^(.+?)(?:-(\d{5,})-of-(\d{5,})(?:-[0-9a-f]+)?)?\.parquet$/;

function add(catalogue: Catalogue, config: string, split: string, path: string): void {
  const splits = catalogue.get(config) ?? new Map<string, string[]>();
  catalogue.set(config, splits);
  splits.set(split, [...(splits.get(split) ?? []), path]);
}

/**
 * By name: `<config>/<split>-00000-of-00002.parquet`, `<config>/<split>.parquet`, the same below `data/`, without a
 * folder or in `data/` for the config "default", and `<config>/<split>/0000.parquet` (the branch of converted files).
 */
export function catalogueByName(paths: readonly string[]): Catalogue {
  const catalogue: Catalogue = new Map();
  for (const path of [...paths].sort()) {
    const folders = path.split('/');
    const name = SHARD.exec(folders.pop()!)?.[1];
    if (name === undefined) continue;
    const inData = folders[0] === 'data';
    const [config = DEFAULT_CONFIG, split, ...deeper] = inData ? folders.slice(1) : folders;
    if (deeper.length > 0) continue;
    if (split === undefined) add(catalogue, config, name, path);
    else if (!inData && (name === split || /^\d{4,}$/.test(name))) add(catalogue, config, split, path);
  }
  return catalogue;
}

const pathsSchema = z.union([z.string(), z.array(z.string())]).transform((paths) => [paths].flat());
const cardSchema = z.object({
  configs: z.array(
    z.looseObject({
      config_name: z.string().default(DEFAULT_CONFIG),
      data_dir: z.string().optional(),
      data_files: z
        .union([
          z.array(z.object({ split: z.string(), path: pathsSchema })),
          pathsSchema.transform((path) => [{ split: 'train', path }]),
          z.record(z.string(), pathsSchema).transform((splits) => {
            return Object.entries(splits).map(([split, path]) => ({ split, path }));
          }),
        ])
        .optional(),
    }),
  ),
});

/**
 * As the card (README.md) says in `configs:` of its front matter; empty where it says nothing, or something else than
 * that, or names no parquet files.
 */
export function catalogueByCard(readme: string, paths: readonly string[]): Catalogue {
  const catalogue: Catalogue = new Map();
  const front = /^\uFEFF?---[ \t]*\r?\n([^]*?)\r?\n---[ \t]*(?:\r?\n|$)/.exec(readme)?.[1];
  if (front === undefined) return catalogue;
  let card: z.infer<typeof cardSchema>;
  try {
    card = cardSchema.parse(parse(front));
  } catch {
    return catalogue;
  }
  const parquet = paths.filter((path) => path.endsWith('.parquet')).sort();
  for (const { config_name, data_dir, data_files = [] } of card.configs) {
    for (const { split, path: patterns } of data_files) {
      const full =
        data_dir === undefined ? patterns : patterns.map((pattern) => `${data_dir.replace(/\/+$/, '')}/${pattern}`);
      for (const path of parquet) {
        if (full.some((pattern) => matchesGlob(path, pattern))) add(catalogue, config_name, split, path);
      }
    }
  }
  return catalogue;
}

/** The files of a config's split, or why there are none that can be used. */
export type Pick =
  | { paths: string[] }
  /** Only a first part of the rows was converted. */
  | { partial: true }
  /** Parts of the split that the repository lacks. */
  | { incomplete: string }
  | { nothing: 'config' | 'split' };

/** @param lonely whether a repository's one and only config may be called "default" where another name is asked for */
export function pick(catalogue: Catalogue, config: string, split: string, lonely: boolean): Pick {
  const alone = lonely && catalogue.size === 1 ? catalogue.get(DEFAULT_CONFIG) : undefined;
  const splits = catalogue.get(config) ?? alone;
  if (splits === undefined) return { nothing: 'config' };
  const paths = splits.get(split);
  if (paths === undefined) return splits.has(`partial-${split}`) ? { partial: true } : { nothing: 'split' };
  const incomplete = missingParts(paths);
  return incomplete === null ? { paths } : { incomplete };
}

/** Parts say how many there are of them; null when they are all there. */
function missingParts(paths: readonly string[]): string | null {
  const totals = new Map<string, { of: number; numbers: Set<number> }>();
  for (const path of paths) {
    const [, name, number, of] = SHARD.exec(path) ?? [];
    if (name === undefined || number === undefined) continue;
    const key = `${name}-…-of-${of}`;
    const known = totals.get(key) ?? { of: Number(of), numbers: new Set<number>() };
    totals.set(key, known);
    known.numbers.add(Number(number));
  }
  for (const [key, { of, numbers }] of totals) {
    if (numbers.size !== of) return `${numbers.size} of the ${of} parts ${key} are there`;
  }
  const converted = paths.map((path) => /(?:^|\/)(\d{4,})\.parquet$/.exec(path)?.[1]);
  const gap = converted.findIndex((number, index) => number !== undefined && Number(number) !== index);
  return gap === -1 ? null : `the part before ${paths[gap]} is not there`;
}
