// The long walks and races, and what lives beside others: `npm run test:long`.
const surroundings =
  '{bystanders,connection-marks,docker,endings,halves,local-rule,mains-router,own-way-back,port-forwards,restores,tailscale,untracked,uplinks,vpn-comes,zones}';

export default {
  files: ['test/long/**/*.test.ts', `test/surroundings/${surroundings}.test.ts`],
  typescript: { rewritePaths: { 'src/': 'build/src/', 'test/': 'build/test/' }, compile: false },
  workerThreads: false,
  timeout: '15m',
};
