import { createRequire } from 'node:module';

type Predicate = (value: unknown) => boolean;

/**
 * What @tensorflow/tfjs-node 4.22 and its helpers may call on Node's own `util`: removed in Node 23 after years of
 * deprecation (the fix in its repository was never released). `isNullOrUndefined` and `isArray` are used for certain.
 */
const REMOVED: Readonly<Record<string, Predicate>> = {
  isArray: Array.isArray,
  isBoolean: (value) => typeof value === 'boolean',
  isFunction: (value) => typeof value === 'function',
  isNull: (value) => value === null,
  isNullOrUndefined: (value) => value === null || value === undefined,
  isNumber: (value) => typeof value === 'number',
  isObject: (value) => value !== null && typeof value === 'object',
  isString: (value) => typeof value === 'string',
  isUndefined: (value) => value === undefined,
};

/**
 * Puts back the `util.is*` functions that are missing, and leaves those that exist.
 *
 * @param util the module object to mend; by default the CommonJS `util` that required packages see.
 * @returns the names put back.
 */
export function restoreUtilPredicates(util: object = createRequire(import.meta.url)('node:util') as object): string[] {
  const missing = Object.keys(REMOVED).filter((name) => !(name in util));
  for (const name of missing) Object.defineProperty(util, name, { value: REMOVED[name], configurable: true });
  return missing;
}
