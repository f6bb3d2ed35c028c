// Writes kernel.ts from kernel.wat: node src/model/row-mask/make-kernel.mjs
import { readFileSync, writeFileSync } from 'node:fs';
import wabt from 'wabt';

const read = new URL('kernel.wat', import.meta.url);
const module = (await wabt()).parseWat('kernel.wat', readFileSync(read, 'utf8'), { simd: true });
const code = Buffer.from(module.toBinary({}).buffer).toString('base64');
const lines = code.match(/.{1,100}/g).map((line) => `  '${line}',`);
writeFileSync(
  new URL('kernel.ts', import.meta.url),
  `/** kernel.wat as WebAssembly, in base64; written by make-kernel.mjs. */\nexport const KERNEL = [\n${lines.join('\n')}\n].join('');\n`,
);
