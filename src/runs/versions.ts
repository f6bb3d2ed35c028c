import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cpus, hostname, totalmem } from 'node:os';
import { join } from 'node:path';
import { packageRoot, packageVersion } from '../util/paths.js';

export interface Versions {
  mpt: string;
  node: string;
  tfjs: string | null;
}

export function versions(): Versions {
  let tfjs: string | null = null;
  try {
    tfjs = packageVersion('@tensorflow/tfjs');
  } catch {
    // Not installed: nothing trains, but records can still be written.
  }
  return { mpt: packageVersion(), node: process.versions.node, tfjs };
}

export function hostFacts(): { name: string; platform: string; cpus: string; memory_gib: number } {
  const processors = cpus();
  return {
    name: hostname(),
    platform: `${process.platform} ${process.arch}`,
    cpus: `${processors.length} × ${processors[0]?.model.trim() ?? 'unknown'}`,
    memory_gib: Math.round(totalmem() / 2 ** 30),
  };
}

/** The commit of mpt's own checkout and whether it is changed; null when it was installed in another way. */
export function gitState(root: string = packageRoot()): { commit: string; dirty: boolean } | null {
  if (!existsSync(join(root, '.git'))) return null;
  const git = (...args: string[]): string =>
    execFileSync('git', ['-C', root, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 10_000,
    }).trim();
  try {
    return { commit: git('rev-parse', 'HEAD'), dirty: git('status', '--porcelain', '--untracked-files=no') !== '' };
  } catch {
    return null; // no git here, or no commit yet
  }
}
