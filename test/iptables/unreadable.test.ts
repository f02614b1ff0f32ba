import test from 'ava';
import { makeLab } from '../helpers/lab.js';
import { viaBin } from '../helpers/paths.js';

test.serial(
  'a table of iptables that iptables cannot read: via says so in its words, and lists no rules',
  async (t) => {
    const lab = await makeLab(t);
    await lab.sh(
      'client',
      `iptables-nft -t mangle -A OUTPUT -j ACCEPT
    nft add rule ip mangle OUTPUT meta cgroup 5 ip dscp set 3`,
    );
    const argv = [viaBin, '--firewall', 'iptables', '10.0.2.1', 'true'];
    const { code, stderr } = await lab.start('client', argv).done;
    t.is(code, 125);
    t.regex(stderr, /^via: firewall iptables-nft-save: .*Parsing nftables rule failed.*; --firewall=nft\)\n$/);
    t.notRegex(stderr, /PREROUTING|Generated/);
  },
);
