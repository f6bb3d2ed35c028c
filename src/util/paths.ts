import { existsSync } from 'node:fs';
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
