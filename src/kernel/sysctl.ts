import { readFileSync, writeFileSync } from 'node:fs';
import { ViaError, wordsOf } from '../failure.js';
import { ignoring } from './cgroup.js';

const GONE = ['ENOENT', 'ENOTDIR'];

const pathOf = (device: string, name: string): string => `/proc/sys/net/ipv4/conf/${device}/${name}`;

function read(device: string, name: string): string {
  return ignoring(GONE, () => readFileSync(pathOf(device, name), 'utf8').trim()) ?? '0';
}

/** A device's own src_valid_mark. */
export const srcValidMark = (device: string): string => read(device, 'src_valid_mark');

/**
 * Those of the devices whose reverse path filter ignores the mark. The kernel uses the larger rp_filter of the device
 * and `all`, and src_valid_mark if either is set (ip-sysctl.rst).
 */
export function filteredDevices(devices: readonly string[]): string[] {
  if (read('all', 'src_valid_mark') !== '0') return [];
  const all = read('all', 'rp_filter') !== '0';
  return devices.filter((device) => all || read(device, 'rp_filter') !== '0');
}

/** The settings of these devices and of `all` that `filteredDevices` depends on. */
export const sysctlsOf = (devices: readonly string[]): string[] =>
  ['all', ...devices].flatMap((device) => ['rp_filter', 'src_valid_mark'].map((name) => read(device, name)));

/** The shell command that restores a device's src_valid_mark. It succeeds if the device is gone. */
export const putBack = ({ device, old }: { readonly device: string; readonly old: string }): string =>
  `{ echo ${old} 2>/dev/null >${pathOf(device, 'src_valid_mark')} || :; }`;

/** Sets a device's src_valid_mark unless it already has the value. Does nothing if the device is gone. */
export function setSrcValidMark(device: string, value: string): void {
  const path = pathOf(device, 'src_valid_mark');
  try {
    if (srcValidMark(device) !== value) writeFileSync(path, value);
  } catch (error) {
    if (GONE.includes((error as NodeJS.ErrnoException).code ?? '')) return;
    const hint = `set it to ${value} outside, or turn rp_filter off on ${device}`;
    throw new ViaError('sysctl', path, wordsOf(error), { cause: error, hint });
  }
}
