// The tests that `npm test` runs, within some minutes on two cores.
const folder = (name, files) => files.split(/\s+/).map((file) => `test/${name}/${file}.test.ts`);

/** What takes long for what it tells, beside test/long: for `npm run test:long`. */
export const long = [
  folder('surroundings', 'wireguard other-table forwarding refused'),
  folder('elevate', 'attacks scope'),
  folder('closed', 'groups memory routes tuples'),
  folder('end', 'daemon dryrun many meddling namespaces retract'),
  folder('healing', 'dead flows insist reconnect suspend unlike'),
  folder('input', 'patience'),
  folder('iptables', 'choice left'),
  folder('keeper', 'agent'),
  folder('launch', 'gone mending mtu servers-metrics servers-one-lan'),
  folder('moving', 'iptables'),
  folder('run', 'end-joined exec-joined ignored signals-joined terminal-joined'),
  folder(
    'surroundings',
    `bystanders connection-marks docker endings halves local-rule mains-router modem nowhere-servers others own-way-back port-forwards restores
     tailscale untracked uplinks v6filters vpn-comes zones`,
  ),
].flat();

export const typescript = { rewritePaths: { 'src/': 'build/src/', 'test/': 'build/test/' }, compile: false };

export default {
  files: ['test/**/*.test.ts', '!test/long/**', '!test/alone/**', ...long.map((files) => `!${files}`)],
  typescript,
  workerThreads: false,
  timeout: '2m',
  concurrency: 3,
};
