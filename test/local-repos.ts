import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SchemaElement } from 'hyparquet';
import { parquetWriteBuffer } from 'hyparquet-writer';
import type { RepoKind } from '../src/hub/names.js';

// For tests: repositories as the local hub serves them.

export type LocalFiles = Record<string, Uint8Array | string>;

export interface LocalRepo {
  kind: RepoKind;
  id: string;
  /** Files by branch, tag or ref. */
  revisions: Record<string, LocalFiles>;
  /** Former names, which lead to this one. */
  renamed_from?: string[];
  /** Listed for all, its files for those with a token only. */
  gated?: boolean;
  /** There only for those with a token. */
  private?: boolean;
}

export interface LocalDatasetOptions {
  /** `main` as the hub's parquet data sets are laid out; `convert` as a script's, which the hub has converted. */
  branch?: 'main' | 'convert';
  /** Parquet files a split. */
  shards?: number;
  rows_per_group?: number;
  codec?: 'SNAPPY' | 'UNCOMPRESSED';
  /** Further files of the main branch, such as README.md. */
  files?: LocalFiles;
}

/** A data set of the hub that holds these rows; give `startLocalHub` one for each config. */
export function datasetRepo(
  task: { hub: { id: string; config: string } | null },
  rowsBySplit: Readonly<Record<string, readonly object[]>>,
  options: LocalDatasetOptions = {},
): LocalRepo {
  const { id, config } = task.hub!;
  const { branch = 'main', shards = 1, files = {} } = options;
  const parquet: LocalFiles = {};
  for (const [split, rows] of Object.entries(rowsBySplit)) {
    const size = Math.ceil(rows.length / shards);
    for (let i = 0; i < shards; i++) {
      const digits = (value: number): string => String(value).padStart(5, '0');
      const name = branch === 'main' ? `${split}-${digits(i)}-of-${digits(shards)}` : `${split}/${digits(i).slice(1)}`;
      parquet[`${config}/${name}.parquet`] = parquetBytes(rows.slice(i * size, (i + 1) * size), options);
    }
  }
  const revisions: LocalRepo['revisions'] =
    branch === 'main'
      ? { main: { ...files, ...parquet } }
      : { main: { [`${id.split('/').at(-1)!}.py`]: '# loading script\n', ...files }, 'refs/convert/parquet': parquet };
  return { kind: 'dataset', id, revisions };
}

/** A model of the hub with the files of a folder. */
export function modelRepo(folder: string, id = 'owner/model', revision = 'main'): LocalRepo {
  const names = readdirSync(folder, { withFileTypes: true }).flatMap((entry) => (entry.isFile() ? entry.name : []));
  const files = Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name))]));
  return { kind: 'model', id, revisions: { main: files, [revision]: files } };
}

/** Rows as a parquet file with nested columns, whole numbers as int64. */
export function parquetBytes(
  rows: readonly object[],
  { rows_per_group = 1000, codec = 'SNAPPY' }: Pick<LocalDatasetOptions, 'rows_per_group' | 'codec'> = {},
): Uint8Array {
  const records = rows as readonly Record<string, unknown>[];
  const names = [...new Set(records.flatMap((row) => Object.keys(row)))];
  const schema: SchemaElement[] = [{ name: 'root', num_children: names.length }];
  const columnData = names.map((name) => {
    const values = records.map((row) => row[name] ?? null);
    const shape = shapeOf(values);
    schema.push(...schemaOf(name, shape));
    return { name, data: values.map((value) => fit(value, shape)) };
  });
  return new Uint8Array(parquetWriteBuffer({ schema, columnData, codec, rowGroupSize: rows_per_group }));
}

/** What the values of a column have in common. */
type Shape = 'BOOLEAN' | 'DOUBLE' | 'INT64' | 'TEXT' | { list: Shape } | { struct: Record<string, Shape> };

function shapeOf(values: readonly unknown[]): Shape {
  const given = values.filter((value) => value !== null && value !== undefined);
  if (given.some(Array.isArray)) return { list: shapeOf((given as unknown[][]).flat(1)) };
  if (given.some((value) => typeof value === 'object')) {
    const structs = given as Record<string, unknown>[];
    const fields = [...new Set(structs.flatMap((value) => Object.keys(value)))];
    return {
      struct: Object.fromEntries(fields.map((field) => [field, shapeOf(structs.map((value) => value[field]))])),
    };
  }
  if (given.some((value) => typeof value === 'boolean')) return 'BOOLEAN';
  if (given.some((value) => typeof value === 'number')) return given.every(Number.isInteger) ? 'INT64' : 'DOUBLE';
  return 'TEXT';
}

function schemaOf(name: string, shape: Shape): SchemaElement[] {
  const element = { name, repetition_type: 'OPTIONAL' as const };
  if (shape === 'TEXT') return [{ ...element, type: 'BYTE_ARRAY', converted_type: 'UTF8' }];
  if (typeof shape === 'string') return [{ ...element, type: shape }];
  if ('list' in shape) {
    return [
      { ...element, num_children: 1, converted_type: 'LIST' },
      { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
      ...schemaOf('element', shape.list),
    ];
  }
  const fields = Object.entries(shape.struct);
  return [{ ...element, num_children: fields.length }, ...fields.flatMap(([field, inner]) => schemaOf(field, inner))];
}

function fit(value: unknown, shape: Shape): unknown {
  if (value === null || value === undefined) return null;
  if (shape === 'INT64') return BigInt(value as number);
  if (typeof shape === 'string') return value;
  if ('list' in shape) return (value as unknown[]).map((inner) => fit(inner, shape.list));
  const struct = value as Record<string, unknown>;
  return Object.fromEntries(Object.entries(shape.struct).map(([field, inner]) => [field, fit(struct[field], inner)]));
}

/** The name of a file's content on the hub: SHA-256 of large files, git's SHA-1 of others. */
export function blobName(bytes: Uint8Array, large: boolean): string {
  if (large) return createHash('sha256').update(bytes).digest('hex');
  return createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
}
