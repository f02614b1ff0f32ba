import './joining.js';
import './end.test.js';
