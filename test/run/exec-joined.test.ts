import './joining.js';
import './exec.test.js';
