import { accessSync, constants, realpathSync, statSync, type Stats } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { writeFileAtomic } from '../util/atomic-write.js';
import { UserError } from '../util/errors.js';

function fail(path: string, why: string, cause?: unknown): never {
  throw new UserError(`cannot write --output ${path}: ${why}`, { hint: 'Name another file.', cause });
}

function real(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return resolve(path);
  }
}

/** undefined where nothing can be seen there, for whatever reason. */
function look(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

/**
 * Looks whether a result can be written to `path`, before there is one.
 *
 * @param inputs files that it must not replace
 * @throws UserError when it is a folder, a device, one of the inputs, or lies where nothing may be written
 */
export function checkOutput(path: string, inputs: readonly string[]): void {
  const there = look(path);
  if (there !== undefined && !there.isFile()) {
    fail(path, there.isDirectory() ? 'it is a folder' : 'it is no plain file');
  }
  if (inputs.some((input) => real(input) === real(path))) fail(path, 'it is one of the files that are read');
  let folder = dirname(resolve(path));
  while (look(folder) === undefined && dirname(folder) !== folder) folder = dirname(folder);
  if (!statSync(folder).isDirectory()) fail(path, `${folder} is no folder`);
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (cause) {
    fail(path, `no permission to write in ${folder}`, cause);
  }
}

/** Writes a result whole or not at all. @throws UserError when it cannot be written */
export function writeOutput(path: string, data: Uint8Array | string): void {
  try {
    writeFileAtomic(path, data);
  } catch (error) {
    if (error instanceof UserError || !(error instanceof Error && 'code' in error)) throw error;
    fail(path, error.message, error);
  }
}
