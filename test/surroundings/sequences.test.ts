import test from 'ava';
import { walkSequences } from './sequences.js';

test.serial('launches, joins, leaves and foreign rules in any order: right or closed, and nothing left', (t) =>
  walkSequences(t, 2, 12),
);
