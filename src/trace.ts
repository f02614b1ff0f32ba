import { writeSync } from 'node:fs';

const wantsTrace = process.env['VIA_TRACE'] === '1';
let last = 0;

/** With VIA_TRACE=1, writes the time of the phase that ends now to standard error, in ms, and the time since Node's start. */
export function trace(phase: string): void {
  if (!wantsTrace) return;
  const now = performance.now();
  const [took, total] = [now - last, now].map((ms) => ms.toFixed(1).padStart(7));
  last = now;
  try {
    writeSync(2, `via: trace: ${phase.padEnd(9)} ${took} ms ${total} ms\n`);
  } catch {
    // Standard error has no reader.
  }
}
