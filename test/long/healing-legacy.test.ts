import '../helpers/iptables-legacy.js';
import '../healing/firewall.test.js';
import '../healing/link.test.js';
import '../healing/routing.test.js';
