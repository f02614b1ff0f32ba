import '../helpers/iptables-nft.js';
import '../surroundings/nowhere.test.js';
import '../surroundings/others.test.js';
import '../surroundings/untracked.test.js';
import '../surroundings/v6filters.test.js';
import './restores.test.js';
