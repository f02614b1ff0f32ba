import '../helpers/iptables-legacy.js';
import '../surroundings/nowhere.test.js';
