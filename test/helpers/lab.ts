import { readFileSync } from 'node:fs';
import { run, start, type Result, type RunOptions, type Running } from './exec.js';
import { launchWords, useFirewall } from './firewall.js';
import { raiseWalls, type Walls } from './isolation.js';
import { fixture, python } from './paths.js';
import { far, gateways, gatewaysOf, topologyScript, type Place, type TopologyOptions } from './topology.js';

export interface LabOptions extends TopologyOptions {
  /** 'mounted': net_cls is there already, where distributions used to have it. */
  netCls?: 'mounted';
  /** false: no servers behind the gateways; quicker where nothing is to be asked of them. */
  servers?: boolean;
}

/** What a test gives: ava's `t`, or anything that calls back at the end. */
export interface Owner {
  teardown(undo: () => Promise<void>): void;
}

export interface Process {
  pid: number;
  argv: string[];
}

/** A machine of its own: a client with uplinks A and B, and the gateways behind them. */
export class Lab {
  #own = new Set<number>();
  #ended: Promise<void> | undefined;

  constructor(readonly walls: Walls) {}

  /** Runs a command in one of the network namespaces; never throws for what the command did. */
  run(place: Place, argv: string[], options: RunOptions = {}): Promise<Result> {
    return run(this.command(place, argv, options.cwd), options);
  }

  /** A set-up step in sh, which has to work: throws with its words if it does not. */
  async sh(place: Place, script: string, options: RunOptions = {}): Promise<string> {
    const result = await this.run(place, ['sh', '-ec', script], options);
    if (result.code === 0) return result.stdout;
    const words = `${result.stderr}${result.stdout}`;
    throw new Error(`${place}: exit ${result.code}: ${words}\nin: ${script}`);
  }

  /** Starts a command that a test talks to, or that stays for a while. */
  start(place: Place, argv: string[], options: RunOptions = {}): Running {
    return start(this.command(place, argv, options.cwd), options);
  }

  /** Runs this checkout's bin/via on the client. */
  via(args: string[], options: RunOptions = {}): Promise<Result> {
    return this.run('client', launchWords(args), options);
  }

  /** The command line that runs `argv` in the lab, for tests that start processes themselves. */
  command(place: Place, argv: string[], cwd = '/'): string[] {
    return [...this.walls.enter(place, cwd), ...argv];
  }

  /**
   * What still runs in the lab beside its own servers, and keepers with those that listen for them: empty after a test
   * that left nothing.
   */
  processes(): Process[] {
    const all = this.#all();
    return all.filter((one) => !isKeeper(one) && !(all.some(isKeeper) && listens(one)));
  }

  /** The keepers of groups in the lab. */
  keepers(): Process[] {
    return this.#all().filter((one) => isKeeper(one) && leads(one));
  }

  #all(): Process[] {
    return this.walls
      .members()
      .filter((pid) => !this.#own.has(pid))
      .flatMap((pid) => {
        try {
          const argv = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
          return [{ pid, argv }];
        } catch {
          return []; // Gone since the list was read.
        }
      });
  }

  /** Starts what belongs to the lab itself, so is no leftover of a test, and waits for its word. */
  async serve(place: Place, argv: string[]): Promise<Running> {
    const server = this.own(this.start(place, argv, { detached: true }));
    await server.waitFor(/^ready/m);
    return server;
  }

  own(running: Running): Running {
    this.#own.add(running.pid);
    return running;
  }

  /** Ends the lab and all that runs in it. */
  end(): Promise<void> {
    this.#ended ??= this.walls.end().then((clean) => {
      if (!clean) throw new Error(`${this.walls.name}: some of the lab would not go`);
    });
    return this.#ended;
  }
}

const isKeeper = ({ argv }: Process): boolean => argv.some((word) => word.endsWith('/bin/keeper'));

/** A keeper's listener (bin/listener), and the tools that it runs. */
const listens = ({ argv }: Process): boolean =>
  /\/bin\/listener|\bip -N -o monitor |\bnft (monitor destroy|-i)$/.test(argv.join(' '));

/** It leads its session; what it has forked and is about to become another program does not. */
function leads({ pid }: Process): boolean {
  try {
    return (
      readFileSync(`/proc/${pid}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ')[3] === String(pid)
    );
  } catch {
    return false;
  }
}

/** Makes a lab that ends with the test; one at a time in a process, so the tests are serial. */
export async function makeLab(owner: Owner, options: LabOptions = {}): Promise<Lab> {
  const lab = new Lab(await raiseWalls());
  owner.teardown(() => lab.end());
  await lab.sh('lan', topologyScript(options));
  await lab.sh('client', useFirewall());
  if (options.netCls === 'mounted') await lab.sh('lan', mountNetCls);
  const namespace = (place: Place) => `/proc/${lab.walls.holder}/root/run/netns/${place}`;
  await Promise.all([
    ...(options.tun ? [lab.serve('lan', [...python, fixture('tun.py'), namespace('client'), namespace('g4')])] : []),
    ...(options.servers === false
      ? []
      : gatewaysOf(options).map((name) => {
          const addresses = [gateways[name].v4, far.v4, gateways[name].v6, far.v6];
          const bound = options.v6 === false ? addresses.slice(0, 2) : addresses;
          return lab.serve(name, [process.execPath, fixture('server.mjs'), name, ...bound]);
        })),
  ]);
  return lab;
}

// The tmpfs stands for the one of the distributions: a folder made in a real /sys/fs/cgroup
// could be a cgroup of the machine's.
const mountNetCls = `
  mount -t tmpfs -o mode=755 cgroup /sys/fs/cgroup
  mkdir /sys/fs/cgroup/net_cls
  mount -t cgroup -o net_cls cgroup /sys/fs/cgroup/net_cls ||
    mount -t cgroup -o net_cls,net_prio cgroup /sys/fs/cgroup/net_cls
`;
