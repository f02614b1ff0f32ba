import '../helpers/iptables-nft.js';
import '../keeper/versions.test.js';
