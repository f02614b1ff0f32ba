// The long walks and races, and what takes long for what it tells: `npm run test:long`.
import { long, typescript } from './ava.config.js';

export default {
  files: ['test/long/**/*.test.ts', ...long],
  typescript,
  workerThreads: false,
  timeout: '15m',
};
