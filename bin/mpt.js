#!/usr/bin/env node
import { existsSync } from 'node:fs';

if (Number(process.versions.node.split('.')[0]) < 20) {
  console.error(`mpt needs Node 20 or later; this is Node ${process.versions.node}.`);
  process.exit(2);
}
const cli = new URL('../dist/src/cli.js', import.meta.url);
if (!existsSync(cli)) {
  console.error('mpt is not built yet. Run `npm run demo` (which does everything), or `npm ci && npm run build`.');
  process.exit(2);
}
const { main } = await import(cli.href);
await main(process.argv);
