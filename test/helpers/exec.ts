import { spawn, type ChildProcess, type IOType } from 'node:child_process';
import type { Readable, Stream, Writable } from 'node:stream';

export interface Result {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  /** stdout as it came, for tests that send bytes which are no text. */
  bytes: Buffer;
  ms: number;
  timedOut: boolean;
}

export interface RunOptions {
  input?: string | Uint8Array;
  /** Laid over a neutral copy of our own environment; undefined takes a variable away. */
  env?: Record<string, string | undefined>;
  cwd?: string;
  /** Milliseconds until the process is killed. */
  timeout?: number;
  /** Descriptors 3 and up. */
  extra?: (IOType | Stream | number)[];
  /** A session of its own: out of reach of a ^C meant for the test run. */
  detached?: boolean;
}

export interface WaitOptions {
  timeout?: number;
  from?: number;
  on?: 'stdout' | 'stderr';
}

/** A program that was started and may still run. */
export class Running {
  readonly done: Promise<Result>;
  readonly #out: Buffer[] = [];
  readonly #err: Buffer[] = [];
  readonly #wake = new Set<() => void>();
  #ended = false;

  constructor(
    readonly child: ChildProcess,
    readonly argv: string[],
    timeout: number | undefined,
  ) {
    const began = performance.now();
    let timedOut = false;
    const timer = timeout
      ? setTimeout(() => {
          timedOut = true;
          this.kill('SIGKILL');
          // A grandchild may hold the pipes open for ever.
          setTimeout(() => {
            child.stdout?.destroy();
            child.stderr?.destroy();
          }, 200);
        }, timeout)
      : undefined;
    const listen = (from: Readable | null, into: Buffer[]) =>
      from?.on('data', (chunk: Buffer) => {
        into.push(chunk);
        this.#notify();
      });
    listen(child.stdout, this.#out);
    listen(child.stderr, this.#err);
    // A program that ends before it has read all its input is no error of ours.
    child.stdin?.on('error', () => {});
    this.done = new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => {
        clearTimeout(timer);
        this.#ended = true;
        this.#notify();
        const bytes = Buffer.concat(this.#out);
        resolve({
          code,
          signal,
          stdout: bytes.toString(),
          stderr: this.stderr,
          bytes,
          ms: performance.now() - began,
          timedOut,
        });
      });
    });
    this.done.catch(() => this.#notify());
  }

  /** The command's own pid: nsenter and via's launcher exec in place. */
  get pid(): number {
    return this.child.pid ?? -1;
  }

  get stdin(): Writable {
    if (!this.child.stdin) throw new Error('no stdin');
    return this.child.stdin;
  }

  get stdout(): string {
    return Buffer.concat(this.#out).toString();
  }

  get stderr(): string {
    return Buffer.concat(this.#err).toString();
  }

  write(text: string): void {
    this.stdin.write(text);
  }

  kill(signal: NodeJS.Signals = 'SIGTERM'): void {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill(signal);
  }

  /** Waits until stdout (or stderr) matches; `from` skips that many characters of it. */
  async waitFor(pattern: RegExp, options: WaitOptions = {}): Promise<RegExpMatchArray> {
    const { timeout = 5000, from = 0, on = 'stdout' } = options;
    const end = performance.now() + timeout;
    for (;;) {
      const match = this[on].slice(from).match(pattern);
      if (match) return match;
      const left = end - performance.now();
      if (this.#ended || left <= 0)
        throw new Error(
          `${this.argv.join(' ')}: ${this.#ended ? 'ended' : 'waited'} without ${String(pattern)}\n` +
            `stdout: ${this.stdout}\nstderr: ${this.stderr}`,
        );
      await new Promise<void>((resolve) => {
        const timer = setTimeout(wake, left);
        const all = this.#wake;
        function wake() {
          clearTimeout(timer);
          all.delete(wake);
          resolve();
        }
        all.add(wake);
      });
    }
  }

  #notify(): void {
    for (const wake of this.#wake) wake();
  }
}

/** Starts a program with pipes on its first three descriptors. */
export function start(argv: string[], options: RunOptions = {}): Running {
  const [file, ...args] = argv;
  if (file === undefined) throw new Error('no command');
  const child = spawn(file, args, {
    stdio: ['pipe', 'pipe', 'pipe', ...(options.extra ?? [])],
    env: { ...neutralEnv(), ...options.env },
    cwd: options.cwd,
    detached: options.detached ?? false,
  });
  return new Running(child, argv, options.timeout);
}

/** Runs a program to its end; a failure is part of the result, never thrown. */
export function run(argv: string[], options: RunOptions = {}): Promise<Result> {
  const running = start(argv, { timeout: 30_000, ...options });
  running.stdin.end(options.input ?? '');
  return running.done;
}

/**
 * Variables that slow Node down or change its words are not the tests' business. Nor is npm's part
 * of PATH: it has an `nft` of its own in it, which traces files and takes any argument in silence.
 */
function neutralEnv(): NodeJS.ProcessEnv {
  const { NODE_EXTRA_CA_CERTS: _ca, NODE_OPTIONS: _options, ...env } = process.env;
  const path = (env.PATH ?? '').split(':').filter((part) => !part.includes('node_modules'));
  return { ...env, LC_ALL: 'C', PATH: [...path, '/usr/sbin', '/usr/bin', '/sbin', '/bin'].join(':') };
}
