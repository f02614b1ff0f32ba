import '../helpers/iptables-nft.js';
import '../surroundings/nowhere.test.js';
