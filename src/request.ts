/** The treatment of a family that the gateway has no path for: refuse it, or leave it alone. */
export type OtherFamily = 'refuse' | 'allow';

/** The values of --firewall. */
export type FirewallChoice = 'auto' | 'nft' | 'iptables';

/** The program that gives root's rights to a user's via. */
export type Elevate = 'auto' | 'sudo' | 'pkexec' | 'none';

/** A shell that via writes aliases for; sh is any POSIX shell. */
export type Shell = 'bash' | 'zsh' | 'fish' | 'sh';

/** The options of a launch. `ipv4`, `ipv6` and `lan` are part of the way out. */
export interface LaunchOptions {
  readonly ipv4: OtherFamily;
  readonly ipv6: OtherFamily;
  /** Connected networks are reached directly (false with `--no-lan`). */
  readonly lan: boolean;
  /** The firewall for a new group. */
  readonly firewall: FirewallChoice;
  /** Become the command, in place of waiting for its end. */
  readonly exec: boolean;
  readonly dryRun: boolean;
  readonly verbose: boolean;
  /** Do not report a lost gateway while the command runs. */
  readonly quiet: boolean;
  /** The program that gives root's rights if via has none. */
  readonly elevate: Elevate;
  /** Show a failure on the desktop, too. */
  readonly notify: boolean;
  /** The user that root runs the command as; empty for root. */
  readonly user: string;
}

/** The request of the user: the parsed argv, not checked against the system. */
export type Request =
  | {
      readonly word: 'launch';
      readonly gateway: string;
      readonly command: readonly [string, ...string[]];
      readonly options: LaunchOptions;
    }
  | { readonly word: 'none'; readonly command: readonly [string, ...string[]]; readonly options: LaunchOptions }
  | { readonly word: 'status'; readonly self: boolean; readonly json: boolean }
  | {
      readonly word: 'attach';
      readonly gateway: string;
      readonly pids: readonly number[];
      /** Move the descendants of the processes, too. */
      readonly tree: boolean;
      readonly options: LaunchOptions;
    }
  | {
      readonly word: 'detach';
      readonly pids: readonly number[];
      readonly tree: boolean;
      readonly options: LaunchOptions;
    }
  /** `pairs` are as typed, `lte=192.168.8.1`. Without `shell` it is the shell that started via. */
  | { readonly word: 'alias'; readonly pairs: readonly string[]; readonly shell?: Shell }
  | { readonly word: 'completion'; readonly shell?: string }
  | {
      readonly word: 'desktop';
      readonly does: 'write' | 'remove' | 'list';
      /** To write: a gateway, then applications. To remove: applications, with or without a gateway first. */
      readonly words: readonly string[];
      readonly replace: boolean;
      readonly options: LaunchOptions;
    }
  | { readonly word: 'sweep'; readonly options: LaunchOptions }
  | { readonly word: 'keep' }
  | { readonly word: 'help'; readonly topic?: string }
  | { readonly word: 'version' };
