import { z } from 'zod';
import { methodLabel, parseMethodLabel } from '../methods/names.js';

export const count = (): z.ZodInt => z.int().min(1);
export const positive = (): z.ZodNumber => z.number().gt(0);

/** Text that is used as the name of a folder. */
export const folderName = (): z.ZodString =>
  z.string().regex(/^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/, {
    error: 'letters, digits, "-", "_" and "." only, beginning and ending with a letter or digit (it names a folder)',
  });

/** A name for settings, which comes out of the label of a method that it goes into: not "multitask", for one. */
export const variantName = (): z.ZodString =>
  folderName().refine(
    (variant) => {
      const back = parseMethodLabel(methodLabel({ method: 'mpt', multi_task: false, variant }));
      return back?.variant === variant && !back.multi_task;
    },
    { error: 'it would read as tasks trained together; take another name' },
  );

export const uniqueList = <T extends z.ZodType>(item: T, what: string): z.ZodArray<T> =>
  z
    .array(item)
    .min(1)
    .refine((items) => !Array.isArray(items) || new Set(items).size === items.length, {
      error: `every ${what} only once`,
    });

/**
 * A rule across keys. It is checked even where other keys have faults, so that all faults come out at once; on
 * values of a wrong type it stays silent, as those are reported already.
 */
export function rule<T extends z.ZodType>(
  schema: T,
  path: string[],
  error: string,
  holds: (value: z.output<T>) => boolean,
): T {
  const check = (value: unknown): boolean => {
    try {
      return holds(value as z.output<T>);
    } catch {
      return true;
    }
  };
  return schema.refine(check, { error, path, when: () => true });
}
