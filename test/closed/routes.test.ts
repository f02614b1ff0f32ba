import test from 'ava';
import { guarded, withClassic } from '../helpers/firewall.js';
import { compareClassic, holds, type Situation } from './situations.js';

/** The way itself goes; for g3 its routes, since its link is main's too. */
const cut = {
  g2: 'ip link set c2 down',
  g3: `ip route del default via 10.0.1.3 table $T
    ip -6 route del default via fd01::3 table $T 2>/dev/null || :`,
};

const endless = `ip route del unreachable default table $T
  ip -6 route del unreachable default table $T metric 4294967295`;

const empty = `ip route flush table $T
  ip -6 route flush table $T 2>/dev/null || :
  ip -6 route del unreachable default table $T metric 4294967295 2>/dev/null || :`;

const flap = (device: string, addresses: string): string =>
  `ip link set ${device} down
  ip link set ${device} up
  ip address replace ${addresses} dev ${device} nodad`;

/** What a network manager does when the link is back, which knows of main only. */
const mainBack = `ip route replace default via 10.0.1.1
  ip -6 route replace default via fd01::1 dev c1`;

const ofBoth = (gateway: 'g2' | 'g3'): Situation[] => [
  { name: 'the way goes', does: cut[gateway], classic: 'leaks' },
  { name: 'the table is emptied', does: empty, guarded: true, classic: 'leaks' },
  {
    name: 'the way goes, and the end of the table',
    does: `${endless}\n${cut[gateway]}`,
    toClassic: cut[gateway],
    guarded: true,
    classic: 'leaks',
  },
  { name: 'the router is dead', at: gateway, does: 'ip link set eth0 down', classic: 'holds' },
];

const situations: Record<'g2' | 'g3', Situation[]> = {
  g2: [
    ...ofBoth('g2'),
    { name: 'the link goes and comes back', does: flap('c2', 'fd02::2/64'), classic: 'leaks' },
    { name: 'the device goes', does: 'ip link del c2', classic: 'leaks' },
  ],
  g3: [
    ...ofBoth('g3'),
    {
      name: 'the link goes and comes back, with the way of main',
      does: `${flap('c1', 'fd01::2/64')}\n${mainBack}`,
      classic: 'leaks',
    },
  ],
};

for (const gateway of guarded())
  for (const situation of situations[gateway]) {
    test.serial(`${gateway}: ${situation.name}`, (t) => holds(t, gateway, situation));
    if (withClassic())
      test.serial(`${gateway}: ${situation.name}, the classic recipe`, (t) => compareClassic(t, gateway, situation));
  }
