// The tests that need the net_cls hierarchy for themselves: they run first, and one at a time.
import { typescript } from './ava.config.js';

export default { files: ['test/alone/**/*.test.ts'], typescript, workerThreads: false, timeout: '2m', concurrency: 1 };
