/** What to do with a family the gateway has no way for: refuse it, or leave it alone. */
export type OtherFamily = 'refuse' | 'allow';

/** What a user can ask for as firewall. */
export type FirewallChoice = 'auto' | 'nft' | 'iptables';

/** Who is asked for root's rights where via has none. */
export type Elevate = 'auto' | 'sudo' | 'pkexec' | 'none';

/** A shell for which via writes aliases; sh is any that knows POSIX's only. */
export type Shell = 'bash' | 'zsh' | 'fish' | 'sh';

/** The options of a launch; all of `ipv4`, `ipv6` and `lan` are part of the way out. */
export interface LaunchOptions {
  readonly ipv4: OtherFamily;
  readonly ipv6: OtherFamily;
  /** Connected networks stay directly reachable (`--no-lan` makes it false). */
  readonly lan: boolean;
  /** What marks the packets of a new group. */
  readonly firewall: FirewallChoice;
  /** Become the command, in place of waiting for its end. */
  readonly exec: boolean;
  readonly dryRun: boolean;
  readonly verbose: boolean;
  /** Nothing is said of the gateway while the command runs. */
  readonly quiet: boolean;
  /** Who is asked where via is not root. */
  readonly elevate: Elevate;
  /** A failure is shown on the desktop, too. */
  readonly notify: boolean;
  /** The user as whom root runs the command; empty: as he is. */
  readonly user: string;
}

/** What the user asked for: the result of reading argv, nothing of it checked against the system. */
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
      /** With all that they have started. */
      readonly tree: boolean;
      readonly options: LaunchOptions;
    }
  | {
      readonly word: 'detach';
      readonly pids: readonly number[];
      readonly tree: boolean;
      readonly options: LaunchOptions;
    }
  /** `pairs` are as they were typed, `lte=192.168.8.1`; without a shell it is the one that has started via. */
  | { readonly word: 'alias'; readonly pairs: readonly string[]; readonly shell?: Shell }
  | { readonly word: 'completion'; readonly shell?: string }
  | {
      readonly word: 'desktop';
      readonly does: 'write' | 'remove' | 'list';
      /** A gateway and applications, to write; applications, perhaps behind a gateway, to remove. */
      readonly words: readonly string[];
      readonly replace: boolean;
      readonly options: LaunchOptions;
    }
  | { readonly word: 'sweep'; readonly options: LaunchOptions }
  | { readonly word: 'keep' }
  | { readonly word: 'help'; readonly topic?: string }
  | { readonly word: 'version' };
