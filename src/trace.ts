import { writeSync } from 'node:fs';

const wantsTrace = process.env['VIA_TRACE'] === '1';
let last = 0;

/** With VIA_TRACE=1, says on standard error how long the phase that ends now took; times in ms since Node's start. */
export function trace(phase: string): void {
  if (!wantsTrace) return;
  const now = performance.now();
  const [took, total] = [now - last, now].map((ms) => ms.toFixed(1).padStart(7));
  last = now;
  try {
    writeSync(2, `via: trace: ${phase.padEnd(9)} ${took} ms ${total} ms\n`);
  } catch {
    // Nobody reads standard error.
  }
}
