import '../helpers/iptables-nft.js';
import '../launch/source.test.js';
import '../launch/servers.test.js';
import '../launch/servers-one-lan.test.js';
import '../closed/rules.test.js';
