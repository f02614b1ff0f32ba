let ignored: ReadonlySet<NodeJS.Signals> = new Set();

/** From now on these signals, which were ignored when via was called (nohup), end nothing; Node has set them back. */
export const ignoreSignals = (signals: ReadonlySet<NodeJS.Signals>): void => void (ignored = signals);

/** Whether a signal is one of them. */
export const isIgnored = (signal: NodeJS.Signals): boolean => ignored.has(signal);

/** Signals that end a wait for somebody else, unless they are ignored; via then dies of them. */
export const INTERRUPTING = ['SIGINT', 'SIGTERM', 'SIGQUIT', 'SIGHUP'] as const;
