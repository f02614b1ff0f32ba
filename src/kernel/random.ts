import { closeSync, openSync, readSync } from 'node:fs';

/** Random bytes from the kernel (random(4)). Node's crypto module costs 3 ms and 1 MB to load. */
export function randomBytes(count: number): Uint8Array {
  const bytes = new Uint8Array(count);
  const fd = openSync('/dev/urandom', 'r');
  try {
    readSync(fd, bytes);
  } finally {
    closeSync(fd);
  }
  return bytes;
}
