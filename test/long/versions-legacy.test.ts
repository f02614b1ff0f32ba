import '../helpers/iptables-legacy.js';
import '../keeper/versions.test.js';
