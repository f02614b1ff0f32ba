import '../helpers/iptables-nft.js';
import '../surroundings/untracked.test.js';
import './restores.test.js';
