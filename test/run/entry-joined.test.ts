import './joining.js';
import './entry.test.js';
