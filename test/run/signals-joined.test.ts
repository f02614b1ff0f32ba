import './joining.js';
import './signals.test.js';
