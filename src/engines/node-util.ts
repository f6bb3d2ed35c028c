import { createRequire } from 'node:module';

type Predicate = (value: unknown) => boolean;

/**
 * What @tensorflow/tfjs-node 4.22 and its helpers may call on Node's own `util`: warned about by Node 22 and removed in
 * Node 23 (the fix in its repository was never released). `isNullOrUndefined` and `isArray` are used for certain.
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
 * Puts plain `util.is*` functions in place: of those that are missing, and of those that would warn. They answer as
 * Node's own did.
 *
 * @param util the module object to mend; by default the CommonJS `util` that required packages see.
 */
export function restoreUtilPredicates(util: object = createRequire(import.meta.url)('node:util') as object): void {
  for (const [name, value] of Object.entries(REMOVED)) {
    Object.defineProperty(util, name, { value, configurable: true, writable: true, enumerable: true });
  }
}
