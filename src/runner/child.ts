// The command line as bin/mpt.js starts it, for the processes of `mpt run`: of the same build as their parent.
import { main } from '../cli.js';

await main(process.argv);
