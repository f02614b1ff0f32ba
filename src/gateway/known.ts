import type { AddressLine, Routing } from '../kernel/routing.js';
import type { Family } from '../plan/family.js';

/** The kernel's state that a gateway is looked up in. */
export interface Known {
  readonly routing: { readonly [F in Family]: Routing };
  /** The kernel has IPv6. */
  readonly v6: boolean;
  /** Reads the addresses of all devices. Only errors need them: a device that is down has no routes. */
  readonly addresses?: () => readonly AddressLine[];
}
