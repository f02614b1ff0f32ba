import { readFileSync, writeFileSync } from 'node:fs';
import { ignoring } from '../kernel/cgroup.js';
import { removeFile } from '../kernel/place.js';
import type { Mends } from '../plan/ration.js';
import { repairsFile } from '../plan/files.js';
import { UNWRITABLE } from './file.js';

/** The times of the keeper's recent repairs in a network namespace; none where the file is missing or cut off. */
export function readRepairs(namespace: string): Mends {
  try {
    const value = JSON.parse(readFileSync(repairsFile(namespace), 'utf8')) as unknown;
    const lists = Object.entries((value ?? {}) as object).filter(([, times]) => Array.isArray(times));
    return Object.fromEntries(lists.map(([name, times]) => [name, (times as unknown[]).map(Number)]));
  } catch {
    return {};
  }
}

/** Keeps them; without any the file is removed. */
export function keepRepairs(namespace: string, repairs: Mends): void {
  const file = repairsFile(namespace);
  ignoring(UNWRITABLE, () => {
    removeFile(file);
    if (Object.keys(repairs).length > 0) writeFileSync(file, JSON.stringify(repairs), { mode: 0o600 });
  });
}
