import '../helpers/iptables-legacy.js';
import '../moving/sockets.test.js';
