import { via } from './tools.js';

// From here on via becomes the command; imported before the tests are.
via.splice(2, 0, '-x');
