import '../helpers/iptables-nft.js';
import '../launch/source.test.js';
import '../closed/rules.test.js';
