import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the installed package: where package.json, configs/ and models/ lie. */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
}

/** Where engines and caches live: MPT_HOME, or `mpt` in the user's cache folder. */
export function mptHome(): string {
  if (process.env['MPT_HOME']) return process.env['MPT_HOME'];
  if (process.platform === 'win32')
    return join(process.env['LOCALAPPDATA'] ?? join(homedir(), 'AppData', 'Local'), 'mpt');
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'mpt');
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'mpt');
}

/** Version of an installed package, or of mpt itself. */
export function packageVersion(name?: string): string {
  const file =
    name === undefined
      ? join(packageRoot(), 'package.json')
      : createRequire(import.meta.url).resolve(`${name}/package.json`);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
