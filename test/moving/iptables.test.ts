import '../helpers/iptables-nft.js';
import './sockets.test.js';
