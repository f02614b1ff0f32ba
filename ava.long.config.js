// The long walks and races: `npm run test:long`.
export default {
  files: ['test/long/**/*.test.ts'],
  typescript: { rewritePaths: { 'src/': 'build/src/', 'test/': 'build/test/' }, compile: false },
  workerThreads: false,
  timeout: '15m',
};
