import type { EngineManifest } from '../layout.js';

/** What a way of making an engine is given. */
export interface AttemptContext {
  /** An empty folder on the engines' own file system; it becomes the engine, or is removed. */
  readonly staging: string;
  /** One line for the person waiting. */
  readonly log: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
  /** Time between two progress lines. */
  readonly progressMs: number;
}

/** Either an engine lies in the staging folder (not yet tested), or one line says why not. */
export type Attempt =
  { readonly source: EngineManifest['source']; readonly preload: string[] } | { readonly fault: string };
