// The command line as bin/mpt.js starts it, but of the build that the tests belong to.
import { main } from '../src/cli.js';

await main(process.argv);
