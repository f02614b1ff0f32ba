import type { Runner } from './probes.js';
import { far } from './topology.js';

/** How many bytes are carried each way. */
export const size = 2_000_000;

/** 2 MB each way: the bytes of the download, who answered the upload with how many, and how long both took. */
export async function carry(runner: Runner, family: 4 | 6): Promise<{ said: (string | undefined)[]; ms: number }> {
  const address = far[`v${family}`];
  const script = `
    curl -gs -m5 -w '%{size_download} ' -o /dev/null 'http://${family === 6 ? `[${address}]` : address}/bytes/${size}'
    exec 3<>/dev/tcp/${address}/7001
    { echo upload ${size}; head -c ${size} /dev/zero; } >&3; timeout 5 cat <&3`;
  const { stdout, ms } = await runner(['bash', '-c', script]);
  const [download, gateway, , , upload] = stdout.trim().split(' ');
  return { said: [gateway, download, upload], ms };
}
