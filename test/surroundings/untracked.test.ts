import test from 'ava';
import { guarded, seesAll } from '../helpers/firewall.js';
import { beside, iptables, nft } from './foreign.js';

/** Somebody keeps what passes from connection tracking: nft's `notrack`, and CT --notrack of iptables. */
const untracked = (hook: 'output' | 'prerouting', served: boolean) => [
  nft(`filter ${hook} -300`, 'notrack', served),
  iptables('nft', [`raw ${hook.toUpperCase()} -j CT --notrack`], served),
  iptables('legacy', [`raw ${hook.toUpperCase()} -j CT --notrack`], served),
];

for (const gateway of guarded()) {
  test.serial(`${gateway}: beside a foreign notrack of what is sent`, (t) =>
    beside(t, gateway, untracked('output', seesAll())),
  );

  // An answer that is not tracked is not translated back, and a TCP connection without one is none.
  test.serial(`${gateway}: beside a foreign notrack of what comes in`, (t) =>
    beside(t, gateway, untracked('prerouting', false)),
  );
}
