import { readFileSync } from 'node:fs';
import { pause } from './pause.js';
import type { Entry } from './entry.js';

/**
 * Waits until the soft limit of descriptors, which Node raises at its start, is restored. The launcher's helper runs
 * prlimit(1) for that since `readEntry`. Without prlimit the limit stays raised.
 */
export function awaitNofile({ nofile }: Entry): void {
  if (nofile === undefined) return;
  for (let waited = 0; waited < 1000; waited++) {
    if (softLimit() === nofile.soft || hasEnded(nofile.helper)) return;
    pause(waited < 20 ? 0.1 : 1);
  }
}

function softLimit(): number {
  return Number(/^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]);
}

function hasEnded(pid: number): boolean {
  try {
    return /\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return true;
  }
}
