import { spawnSync } from 'node:child_process';
import test from 'ava';
import { filterOf } from '../../src/kernel/endings.js';

for (const [family, local, peer] of [
  ['IPv4', '10.0.1.2', '203.0.113.10'],
  ['IPv6', '[2001:db8:1111:2222:3333:4444:5555:6666]', '[2001:db8:113:2222:3333:4444:5555:6666]'],
] as const)
  test(`ss takes what picks many connections of ${family}`, (t) => {
    const endings = Array.from({ length: 200 }, (_, i) => ({
      local: `${local}:${40000 + i}`,
      peer: `${peer}:443`,
      queued: 1,
    }));
    const { status, stderr } = spawnSync('ss', ['-tnH', '-F', '-'], { input: filterOf(endings), encoding: 'utf8' });
    t.deepEqual([status, stderr], [0, '']);
  });
