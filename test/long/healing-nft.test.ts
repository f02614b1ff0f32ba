import '../helpers/iptables-nft.js';
import '../healing/firewall.test.js';
import '../healing/flush.test.js';
import '../healing/link.test.js';
import '../healing/routing.test.js';
