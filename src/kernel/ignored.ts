let ignored: ReadonlySet<NodeJS.Signals> = new Set();

/** Notes the signals that were ignored when via was started (nohup). Node resets them to their defaults. */
export const ignoreSignals = (signals: ReadonlySet<NodeJS.Signals>): void => void (ignored = signals);

/** True if a signal was ignored when via was started. */
export const isIgnored = (signal: NodeJS.Signals): boolean => ignored.has(signal);

/** The signals that end a wait for another process, unless they are ignored; via then dies of them. */
export const INTERRUPTING = ['SIGINT', 'SIGTERM', 'SIGQUIT', 'SIGHUP'] as const;
