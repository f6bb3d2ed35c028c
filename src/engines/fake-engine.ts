import { ADDON_PATH, engineId, type ProvisionedEngine, type Variant } from './layout.js';

/** For tests: an engine that exists on paper only, or (with a folder) one that passes for another variant. */
export function fakeEngine(
  variant: Variant,
  folder = `/nowhere/${variant}`,
  libtensorflow = '2.21.0',
): ProvisionedEngine {
  return {
    folder,
    manifest: {
      format: 1,
      id: engineId(variant, libtensorflow),
      variant,
      libtensorflow,
      tfjs_node: '4.22.0',
      platform: process.platform,
      arch: process.arch,
      napi: 8,
      source: 'by-hand',
      preload: [],
      created: '2026-01-01T00:00:00.000Z',
      files: [{ path: ADDON_PATH, bytes: 4, sha256: '' }],
    },
  };
}
